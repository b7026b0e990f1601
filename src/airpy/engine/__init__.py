"""Pure computation: frames in, frames and reports out."""

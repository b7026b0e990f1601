"""The commands of `airpy` that a person types: on files at hand, on jobs, on a set-up."""

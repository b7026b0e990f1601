// Package airpy calls AIR-Py, the private data-science service that owns files, as a Go backend does.
//
// A [Client] signs every request with a short-lived token and asks again, with the same idempotency key, when an
// answer was lost or the service had no room. Slow work is a [Job]: its POST answers with a token at once, [Job.Wait]
// follows it and gives its result by type, and [Client.Download] streams a result frame as Arrow record batches.
// What the service refuses, and what a job fails with, is an [*Error].
//
// Package api beside it holds the contract's types and the plain HTTP client, both generated from it.
package airpy

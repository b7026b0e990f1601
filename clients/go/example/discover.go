package main

import (
	"net/http"

	"airpy.internal/airpy"
	"airpy.internal/airpy/api"
)

// discover has the files of a data source listed, tells all who listen how far it is, and keeps the list.
func (b *backend) discover(r *http.Request) (int, any, error) {
	ctx, datasource := r.Context(), r.PathValue("id")
	asked, err := body[place](r)
	if err != nil {
		return 0, nil, err
	}
	job, err := b.client.Discover(ctx, api.DiscoverRequest{DatasourceID: datasource, URI: asked.URI})
	if err != nil {
		return 0, nil, err
	}
	found, err := job.Wait(ctx, func(p airpy.Progress) { b.hub.broadcast(progressOf(p)) })
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, found, b.store.keepFiles(ctx, datasource, found.Files)
}

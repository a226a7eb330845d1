package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func accepting(coding string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Accept-Encoding", coding) }
}

func TestPagesAndAssetsAreCompressed(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	for _, path := range []string{"/monitors", w.assets.names["app.css"], w.assets.names["js/main.js"]} {
		plainly := ask(w, path, nil)
		require.Empty(t, plainly.Header().Get("Content-Encoding"), path)
		rec := ask(w, path, nil, accepting("br, gzip"))
		require.Equal(t, http.StatusOK, rec.Code)
		require.Equal(t, "gzip", rec.Header().Get("Content-Encoding"), path)
		require.Contains(t, rec.Header().Values("Vary"), "Accept-Encoding")
		require.Empty(t, rec.Header().Get("Content-Length"), "that of what was not compressed")
		require.Less(t, rec.Body.Len(), plainly.Body.Len()/2)
		z, err := gzip.NewReader(rec.Body)
		require.NoError(t, err)
		got, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, plainly.Body.String(), string(got))
		require.Equal(t, plainly.Header().Get("Cache-Control"), rec.Header().Get("Cache-Control"))
		require.Equal(t, plainly.Header().Get("Content-Type"), rec.Header().Get("Content-Type"))
	}
}

func TestWhatIsNotCompressed(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	sheet := w.assets.names["app.css"]
	for _, coding := range []string{"", "identity", "gzip;q=0", "br, gzip; q=0.000"} {
		require.Empty(t, ask(w, sheet, nil, accepting(coding)).Header().Get("Content-Encoding"), coding)
	}
	require.Equal(t, "gzip", ask(w, sheet, nil, accepting("gzip;q=0.5")).Header().Get("Content-Encoding"))
	require.Empty(t, ask(w, w.assets.names["favicon-up.svg"], nil, accepting("gzip")).Header().Get("Content-Encoding"), "too short")
	rec := ask(w, sheet, nil, accepting("gzip"), func(r *http.Request) { r.Header.Set("Range", "bytes=0-9") })
	require.Equal(t, http.StatusPartialContent, rec.Code)
	require.Empty(t, rec.Header().Get("Content-Encoding"))
	require.Len(t, rec.Body.Bytes(), 10)
	// A refused page is drawn after the writer was taken back: it stays whole.
	rec = ask(w, "/monitors/999", nil, accepting("gzip"))
	require.Equal(t, http.StatusNotFound, rec.Code)
	require.Empty(t, rec.Header().Get("Content-Encoding"))
	require.Contains(t, rec.Body.String(), "Not here")
}

package api

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func id(g got) string { return strconv.FormatInt(g.number("id"), 10) }

func TestSilenceAndClone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.made(t, "/monitors", `{"name":"Shop","type":"http","external_key":"shop","http":{"url":"https://example.com","headers":{"Authorization":"Bearer hunter2"}}}`)
	at := prefix + "/monitors/" + id(made)
	require.Contains(t, made.body, `"silenced_until":null`)
	a := b.ask(t, "POST", at+"/silence", `{"for":"1h","note":"Moving the rack."}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.NotEmpty(t, a.text("silenced_until"))
	require.Equal(t, "Moving the rack.", a.text("silence_note"))
	require.Len(t, b.ask(t, "GET", prefix+"/monitors?silenced=true", "").list("data"), 1)
	require.Empty(t, b.ask(t, "GET", prefix+"/monitors?silenced=false", "").list("data"))
	a = b.ask(t, "POST", at+"/unsilence", "")
	require.Contains(t, a.body, `"silenced_until":null`)

	a = b.ask(t, "POST", at+"/clone", "")
	require.Equal(t, http.StatusCreated, a.status, a.body)
	require.Equal(t, "Shop (copy)", a.text("name"))
	require.Empty(t, a.text("external_key"))
	require.Equal(t, prefix+"/monitors/"+id(a), a.header.Get("Location"))
	require.NotContains(t, a.body, "hunter2")
	a = b.ask(t, "POST", at+"/clone", `{"name":"Shop US","external_key":"shop"}`)
	require.Equal(t, http.StatusConflict, a.status, a.body)
}

func TestBulk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"a", "b"} {
		b.made(t, "/monitors", `{"name":"`+name+`","type":"http","http":{"url":"https://example.com"}}`)
	}
	a := b.ask(t, "POST", prefix+"/monitors/bulk", `{"filter":{},"action":"pause","dry_run":true}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "preview", a.text("status"))
	require.EqualValues(t, 2, a.number("changed"))
	require.Contains(t, a.body, `"id":null`)
	require.Empty(t, a.header.Get("Location"))
	a = b.ask(t, "POST", prefix+"/monitors/bulk", `{"filter":{},"action":"pause","set":"`+a.text("set")+`"}`)
	require.Equal(t, http.StatusAccepted, a.status, a.body)
	require.Equal(t, "waiting", a.text("status"))
	at := a.header.Get("Location")
	require.Equal(t, prefix+"/bulk-jobs/"+id(a), at)
	require.Equal(t, http.StatusConflict, b.ask(t, "POST", at+"/undo", "").status, "it is not done yet")
	_, err := b.manage(t).RunBulkJob(t.Context())
	require.NoError(t, err)
	a = b.ask(t, "GET", at, "")
	require.Equal(t, "done", a.text("status"))
	require.NotEmpty(t, a.text("undo_until"))
	a = b.ask(t, "POST", at+"/undo", "")
	require.Equal(t, http.StatusAccepted, a.status, a.body)
	require.NotEqual(t, at, a.header.Get("Location"))
	require.Equal(t, http.StatusNotFound, b.ask(t, "GET", at, "", as(strangerToken)).status)
}

package web

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func TestTagRowsAddUp(t *testing.T) {
	t.Parallel()
	rows := tagRows([]manage.TagCountView{
		{Name: "env", Value: "prod", Count: 8}, {Name: "team", Value: "core", Count: 5}, {Name: "team", Value: "web", Count: 4}, {Name: "old", Count: 1},
	})
	var labels []string
	for _, row := range rows {
		labels = append(labels, row.Label)
	}
	require.Equal(t, []string{"team", "team:core", "team:web", "env:prod", "old"}, labels, "most used first, values below their name")
	require.Equal(t, int64(9), rows[0].N)
	require.True(t, rows[1].Within)
	require.False(t, rows[3].Within, "a name with one value needs no row of its own")
	require.Equal(t, "/monitors?tag=team%3Acore", rows[1].URL)
}

// TestATagWithoutAValueIsToldApart from its name with any value, which the row above is of.
func TestATagWithoutAValueIsToldApart(t *testing.T) {
	t.Parallel()
	rows := tagRows([]manage.TagCountView{{Name: "team", Value: "core", Count: 5}, {Name: "team", Count: 2}})
	require.Equal(t, []string{"team", "team:core", "team:"}, []string{rows[0].Label, rows[1].Label, rows[2].Label})
	require.Equal(t, []int64{7, 5, 2}, []int64{rows[0].N, rows[1].N, rows[2].N})
	require.Equal(t, "/monitors?tag=team%3A", rows[2].URL)
}

func TestGroupRowsHoldWhatIsWithin(t *testing.T) {
	t.Parallel()
	rows := groupRows(map[string]int64{"Shop/EU": 9, "Shop/EU/Berlin": 2, "Shop": 1, "": 4, "Lab": 3})
	require.Len(t, rows, 4)
	require.Equal(t, "Lab", rows[0].Label)
	require.Equal(t, int64(12), rows[1].N, "Shop with all within it")
	require.Equal(t, int64(11), rows[2].N)
	require.True(t, rows[3].Within)
}

// TestARenameFromThePageOfTagsAsksForTheNewName goes the way of its button.
func TestARenameFromThePageOfTagsAsksForTheNewName(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	rec := ask(w, "/monitors/bulk", url.Values{
		"all": {"1"}, "back": {"/settings/tags"}, "action": {manage.BulkTagRename}, "tag": {"team:core"}, "to_tag": {"team:core"},
	})
	require.Equal(t, http.StatusOK, rec.Code)
	require.Contains(t, rec.Body.String(), `name="to_tag" value="team:core"`)
	require.Contains(t, rec.Body.String(), `name="to"`)
	require.Contains(t, rec.Body.String(), `href="/settings/tags"`, "Cancel leads back")
}

func TestTagsAreForThoseWhoMayChangeThem(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.role = uptime.RoleViewer
	require.Equal(t, http.StatusForbidden, ask(w, "/settings/tags", nil).Code)
	require.NotContains(t, ask(w, "/settings/profile", nil).Body.String(), "/settings/tags")
}

package channel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/form"
)

func TestShortSecretsAreNotTold(t *testing.T) {
	t.Parallel()
	const text = "server does not support SMTP AUTH"
	require.Equal(t, text, newRedactor("p").clean(text), "a mask within a word tells what it hides")
	require.Equal(t, text, newRedactor("sup").withLogin("u", "S").clean(text))
	require.Equal(t, "no "+form.Mask+" here", newRedactor("four").clean("no four here"))
	require.Equal(t, form.Mask, newRedactor().withLogin("user", "p").clean("dXNlcjpw"), "sent beside its user name it is hidden still")
}

package auth_test

import (
	"encoding/base32"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
)

// TestOneTimeCodes has the examples of RFC 6238, appendix B, whose last six digits are
// the codes of six.
func TestOneTimeCodes(t *testing.T) {
	t.Parallel()
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890"))
	codes := auth.OneTimeCodes{}
	for unix, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"} {
		now := time.Unix(unix, 0)
		for _, off := range []time.Duration{-30 * time.Second, 0, 30 * time.Second} {
			step, ok := codes.Step(secret, code, now.Add(off))
			require.True(t, ok, "%s, %s off", code, off)
			require.Equal(t, unix/30, step)
		}
		for _, off := range []time.Duration{-time.Minute, time.Minute} {
			if now.Add(off).Unix() < 0 {
				continue
			}
			_, ok := codes.Step(secret, code, now.Add(off))
			require.False(t, ok)
		}
	}
	for _, wrong := range []string{"", "287083", "28708", "2870820", "２８７０８２"} {
		_, ok := codes.Step(secret, wrong, time.Unix(59, 0))
		require.False(t, ok, wrong)
	}
	_, ok := codes.Step("not base32!", "287082", time.Unix(59, 0))
	require.False(t, ok)
}

func TestTOTPSecrets(t *testing.T) {
	t.Parallel()
	codes := auth.OneTimeCodes{}
	one, two := codes.NewSecret(), codes.NewSecret()
	require.NotEqual(t, one, two)
	require.Len(t, one, 32)
	require.True(t, codes.Usable(one))
	for _, bad := range []string{"", "AAAA", "not base32 of any kind at all!!!", one + "="} {
		require.False(t, codes.Usable(bad), bad)
	}
	require.Equal(t, "otpauth://totp/Ops%20&%20Co:olga@example.com?secret=ABC&issuer=Ops%20%26%20Co",
		codes.URL("ABC", "Ops & Co:", "olga@example.com"))
}

package web

import "testing"

func TestChecklistX(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"07ShapesDiffer": shapesDiffer, "08TokensHold": tokensHold, "12AddressIsState": addressIsState, "20TextNotMarkup": textNotMarkup,
		"21InvalidForm": invalidForm, "22SecondEditor": secondEditor, "34KeyOnce": keyOnce, "40PrintsPlain": printsPlain, "42ThemeStays": themeStays,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

package web

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// QR is a code as a drawing of squares, one unit each.
type QR struct {
	Size int    // of the side, with the margin
	Path string // of the dark ones
}

// qrMargin is the quiet zone that readers need (ISO/IEC 18004).
const qrMargin = 4

// newQR draws a text, with what lets a reader do without 15 % of it.
func newQR(text string) (QR, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return QR{}, fmt.Errorf("draw QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+qrMargin, y+qrMargin)
			}
		}
	}
	return QR{Size: code.Size + 2*qrMargin, Path: path.String()}, nil
}

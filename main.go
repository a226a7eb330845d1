// Command monitor is an uptime monitor in one binary: see README.md.
package main

import (
	"os"

	"monitor/app"
)

func main() {
	os.Exit(app.Main())
}

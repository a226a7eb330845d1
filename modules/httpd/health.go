package httpd

// Readiness is the word of /readyz for the whole process.
type Readiness string

// The words. Unready answers 503.
const (
	Ready    Readiness = "ready"
	Degraded Readiness = "degraded"
	Unready  Readiness = "unready"
)

// Health is the answer of /readyz.
type Health struct {
	Status Readiness `json:"status"`
	Checks []Check   `json:"checks"`
}

// Check is one dependency or role.
type Check struct {
	Name   string `json:"name"`   // "database", "worker"
	Kind   string `json:"kind"`   // "dependency", "role" or "part"
	Status string `json:"status"` // "ok" or what is wrong in a word
	Detail string `json:"detail,omitempty"`
}

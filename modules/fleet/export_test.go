package fleet

// Notes counts what is remembered.
func (f *Memory) Notes() int {
	f.notes.mu.Lock()
	defer f.notes.mu.Unlock()
	return len(f.notes.until)
}

//go:build unix

package httpd

import (
	"net"
	"os"
	"syscall"
)

// lastIn takes in, without waiting, everybody whom the kernel has accepted, and
// bolts the door: between the two no moment may pass in which more come.
func lastIn(l net.Listener, bolt func()) []net.Conn {
	defer bolt()
	source, ok := l.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := source.SyscallConn()
	if err != nil {
		return nil
	}
	var fds []int
	_ = raw.Control(func(fd uintptr) { // an error: the listener is closed, and nobody waits
		for {
			syscall.ForkLock.RLock()
			in, _, err := syscall.Accept(int(fd))
			if err == nil {
				syscall.CloseOnExec(in)
			}
			syscall.ForkLock.RUnlock()
			if err != nil { // EAGAIN: nobody waits
				return
			}
			fds = append(fds, in)
		}
	})
	bolt()
	var conns []net.Conn
	for _, fd := range fds {
		file := os.NewFile(uintptr(fd), "connection")
		conn, err := net.FileConn(file) // of a copy
		_ = file.Close()
		if err == nil {
			conns = append(conns, conn)
		}
	}
	return conns
}

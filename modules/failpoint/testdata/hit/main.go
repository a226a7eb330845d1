// Command hit goes by its places a few times and says so.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"monitor/modules/failpoint"
)

func main() {
	for i := range 10 {
		failpoint.Here("hit.place")
		if err := failpoint.Error("hit.error"); err != nil {
			fmt.Println("error", i)
		}
		fmt.Println("passed", i)
	}
	got := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got <- struct{}{} }))
	ctx := failpoint.Written(context.Background(), "hit.written")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		panic(err)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		panic(err)
	}
	_ = answer.Body.Close()
	<-got
	server.Close()
	fmt.Println("sent")
}

package web

import (
	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
)

// languageKey is under what the context of a request keeps its language.
const languageKey = "language"

// speak sets the language that somebody chose for the pages; one that they are not in, and
// "auto", leave the choice to the browser.
func speak(c echo.Context, tag string) {
	if l := lang.For(tag); l != nil {
		c.Set(languageKey, l)
	}
}

// languageOf a request: the one chosen by who is logged in, else the one that the browser
// asks for.
func languageOf(c echo.Context) *lang.Language {
	if l, ok := c.Get(languageKey).(*lang.Language); ok {
		return l
	}
	l := lang.Accepted(c.Request().Header.Get("Accept-Language"))
	c.Set(languageKey, l)
	return l
}

// lang is the language in which the request is answered.
func (r *request) lang() *lang.Language { return languageOf(r.Context) }

// t says a sentence of the catalogue, see lang.T.
func (r *request) t(key string, args ...any) string { return r.lang().T(key, args...) }

// t says a sentence of the catalogue, see lang.T.
func (s *scene) t(key string, args ...any) string { return s.lang.T(key, args...) }

// in is the request as it is answered in another language.
func (r *request) in(l *lang.Language) *request {
	other := *r
	other.Context = answered{r.Context, l}
	return &other
}

// answered is a context with a language of its own.
type answered struct {
	echo.Context
	lang *lang.Language
}

func (s answered) Get(key string) any {
	if key == languageKey {
		return s.lang
	}
	return s.Context.Get(key)
}

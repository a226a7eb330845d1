package web

import "monitor/modules/lang"

// Pager leads through the pages of a list.
type Pager struct {
	Text       string // "Showing 51–100 of 10,214"
	Prev, Next string // URLs, "": none
	Pages      []PageLink
}

// PageLink is a numbered page; one without a number is a gap.
type PageLink struct {
	Number  int
	URL     string
	Current bool
}

// pager of total things, size to a page; nil when one page holds them all.
func pager(l *lang.Language, page, size int, total int64, url func(page int) string) *Pager {
	last := int((total + int64(size) - 1) / int64(size))
	if last <= 1 {
		return nil
	}
	page = min(page, last)
	from := int64(page-1)*int64(size) + 1
	p := &Pager{Text: l.T("Showing %s–%s of %s", l.Figure(from), l.Figure(min(from+int64(size)-1, total)), l.Figure(total))}
	if page > 1 {
		p.Prev = url(page - 1)
	}
	if page < last {
		p.Next = url(page + 1)
	}
	before := 0
	for n := 1; n <= last; n++ {
		if n != 1 && n != last && (n < page-2 || n > page+2) {
			continue
		}
		if n > before+1 {
			p.Pages = append(p.Pages, PageLink{})
		}
		p.Pages = append(p.Pages, PageLink{Number: n, URL: url(n), Current: n == page})
		before = n
	}
	return p
}

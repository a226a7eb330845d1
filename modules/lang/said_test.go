package lang

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatOthersSaidIsGerman takes sentences as other parts of the program say them.
func TestWhatOthersSaidIsGerman(t *testing.T) {
	t.Parallel()
	german := Of("de")
	for english, want := range map[string]string{
		// Why a check failed.
		"Status 503 Service Unavailable, expected 200-299, 301":                             "Status 503 Service Unavailable, erwartet: 200-299, 301",
		"No answer within 10s (connecting to 192.0.2.7:443)":                                "Keine Antwort innerhalb von 10s (Verbindungsaufbau zu 192.0.2.7:443)",
		"No answer within 1m0s (the answer began and did not end)":                          "Keine Antwort innerhalb von 1m0s (die Antwort begann, endete aber nicht)",
		"192.0.2.7:443 refused the connection":                                              "192.0.2.7:443 hat die Verbindung abgelehnt",
		"[2001:db8::1]:80 closed the connection in the middle of the answer":                "[2001:db8::1]:80 hat die Verbindung mitten in der Antwort geschlossen",
		"shop.example.com does not resolve: no such host":                                   "shop.example.com lässt sich nicht auflösen: Name nicht gefunden",
		"shop.example.com does not resolve: server misbehaving":                             "shop.example.com lässt sich nicht auflösen: server misbehaving",
		"TLS handshake with 192.0.2.7:443 failed: closed the connection":                    "TLS-Handshake mit 192.0.2.7:443 fehlgeschlagen: Verbindung geschlossen",
		"Cannot connect to [2001:db8::1]:80: reset the connection":                          "Keine Verbindung zu [2001:db8::1]:80: Verbindung zurückgesetzt",
		"The certificate expired on 2026-11-08 23:59:59 UTC":                                "Das Zertifikat ist am 2026-11-08 23:59:59 UTC abgelaufen",
		"The certificate is signed by an unknown authority":                                 "Das Zertifikat stammt von einer unbekannten Zertifizierungsstelle",
		`The answer contains "fatal \"error\"", which must be absent`:                       `Die Antwort enthält „fatal "error"“, das nicht vorkommen darf`,
		`The answer is larger than 1 MiB and its first part does not have "All is well"`:    "Die Antwort ist größer als 1 MiB, und ihr erster Teil enthält „All is well“ nicht",
		"Slow: 2400ms, degraded after 2s":                                                   "Langsam: 2400ms, beeinträchtigt ab 2s",
		"Not checked: 169.254.169.254 is refused by network.deny 169.254.169.254/32":        "Nicht geprüft: 169.254.169.254 ist gesperrt durch network.deny 169.254.169.254/32",
		"Could not check: probe http: this machine has too many open files (see ulimit -n)": "Prüfung nicht möglich: Prüfung http: auf diesem Rechner sind zu viele Dateien offen (siehe ulimit -n)",
		"Could not check: probe http: something that Go says":                               "Prüfung nicht möglich: Prüfung http: something that Go says",
		"Not judged: the network of this worker itself is suspected. It saw: no answer":     "Nicht gewertet: Das Netz dieses Prüfers steht selbst unter Verdacht. Er sah: keine Antwort",
		"1 days left":  "noch 1 Tag",
		"14 days left": "noch 14 Tage",
		"The answer does not contain \"a. b\". Monitor paused.":                                     "Die Antwort enthält „a. b“ nicht. Monitor pausiert.",
		"shop does not resolve: no such host. Monitor deleted.":                                     "shop lässt sich nicht auflösen: Name nicht gefunden. Monitor gelöscht.",
		"nothing that is known. Monitor paused.":                                                    "nothing that is known. Monitor pausiert.",
		"nothing that is known. Nor is this.":                                                       "nothing that is known. Nor is this.",
		"Down after 3 failed checks in a row: 192.0.2.7:443 reset the connection before the answer": "Ausgefallen nach 3 fehlgeschlagenen Prüfungen in Folge: 192.0.2.7:443 hat die Verbindung vor der Antwort zurückgesetzt",
		"Down: Status 404 Not Found, expected 2xx":                                                  "Ausgefallen: Status 404 Not Found, erwartet: 2xx",
		"api: EU is down":       "api: EU ist ausgefallen",
		"Assigned to Mia Berg.": "Zugewiesen an Mia Berg.",
		// Why a message was not sent.
		"HTTP 410: the endpoint asks for no more messages":                                            "HTTP 410: Der Endpunkt möchte keine Nachrichten mehr",
		"HTTP 503: try again later":                                                                   "HTTP 503: try again later",
		"given up after 72 h: HTTP 301: redirects are not followed":                                   "nach 72 h aufgegeben: HTTP 301: Weiterleitungen wird nicht gefolgt",
		"log in refused: 535 5.7.8 Authentication failed":                                             "Anmeldung abgelehnt: 535 5.7.8 Authentication failed",
		"refused for now: ops@example.com (451 greylisted)":                                           "vorerst abgelehnt: ops@example.com (451 greylisted)",
		"the host name mail.example.com does not exist":                                               "der Hostname mail.example.com existiert nicht",
		"the address cannot be used: 10.0.0.1 is refused by network.allow_private=false (10.0.0.0/8)": "die Adresse kann nicht verwendet werden: 10.0.0.1 ist gesperrt durch network.allow_private=false (10.0.0.0/8)",
		"settings.url must be an absolute http or https URL":                                          "settings.url muss eine vollständige URL mit http oder https sein",
		"settings.headers.X-Team must not hold control characters":                                    "settings.headers.X-Team darf keine Steuerzeichen enthalten",
		"The monitor is silenced until 2026-11-09 14:00:00 UTC.":                                      "Der Monitor ist bis 2026-11-09 14:00:00 UTC stummgeschaltet.",
		// What is wrong with what somebody typed or wanted.
		"must be from 10s to 24h":                                              "muss zwischen 10s und 24h liegen",
		"must be from 1 to 10":                                                 "muss zwischen 1 und 10 liegen",
		"must be at least 1s":                                                  "muss mindestens 1s sein",
		"must be at least 8 characters":                                        "muss mindestens 8 Zeichen lang sein",
		"must be at most 64 characters":                                        "darf höchstens 64 Zeichen lang sein",
		"must have at most 50 entries":                                         "darf höchstens 50 Einträge haben",
		"must be one of starttls, tls, none (or empty)":                        "muss leer oder einer dieser Werte sein: starttls, tls, none",
		"must not be longer than the interval (60s)":                           "darf nicht länger als das Intervall sein (60s)",
		`may have q, status, tag; "x" is none of these`:                        "darf q, status, tag haben; „x“ gehört nicht dazu",
		"must be the query of an address such as status=down&tag=team%3Aweb":   "muss der Suchteil einer Adresse sein, etwa status=down&tag=team%3Aweb",
		"is not a field of http; allowed are url, method":                      "ist kein Feld von http; erlaubt sind url, method",
		"has 1 tags already":                                                   "hat schon 1 Tag",
		"has 20 tags already":                                                  "hat schon 20 Tags",
		"its timeout of 30s is longer":                                         "sein Zeitlimit von 30s ist länger",
		"To change monitors you need the role editor; yours is viewer.":        "Für „Monitore ändern“ ist die Rolle Bearbeiter nötig; Sie haben die Rolle Betrachter.",
		"To read the API token needs the scope read.":                          "Für „Lesen“ braucht das API-Token die Berechtigung read.",
		"The incident is already acknowledged.":                                "Der Vorfall ist schon bestätigt.",
		"Only a dead delivery can be sent again; this one is sending.":         "Nur eine gescheiterte Nachricht kann erneut gesendet werden; diese ist im Versand.",
		`No worker of the region "eu" answered in time.`:                       "Kein Prüfer am Standort „eu“ hat rechtzeitig geantwortet.",
		"Example did not let you in: you declined, or may not use this there.": "Example hat die Anmeldung abgelehnt: Sie haben abgebrochen oder dürfen sich dort hierfür nicht anmelden.",
		"Example sent you back with an error (an unknown error). If it stays so, an admin has to look at how log-in is set up.": "Example hat Sie mit einem Fehler zurückgeschickt (unbekannter Fehler). Bleibt es dabei, muss ein Admin die Einrichtung der Anmeldung prüfen.",
		// Names are no words of the program.
		"admin is down":         "admin ist ausgefallen",
		"keyword is down":       "keyword ist ausgefallen",
		"Assigned to resolved.": "Zugewiesen an resolved.",
	} {
		require.Equal(t, want, german.Said(english))
	}
}

// TestEverySentenceIsFoundAgain holds every sentence that is not said by pages themselves
// against all others: none may be taken for another one that means something else.
func TestEverySentenceIsFoundAgain(t *testing.T) {
	t.Parallel()
	for key, of := range sentencesOfSource(t) {
		if strings.Contains(key, "|") || strings.Contains(of.file, "modules/web/") || !strings.HasSuffix(of.file, ".go") {
			continue
		}
		for _, l := range All()[1:] {
			if _, ok := l.texts[key]; !ok {
				continue // another test tells
			}
			s := sentenceOf(key)
			for _, sample := range []string{"x1", "X of two: y", "10s"} {
				english, gaps := sampleOf(s, sample)
				want := l.texts[key][0]
				if len(s.verbs) > 0 || strings.Contains(key, "%") {
					want = l.again(s, gaps)
				}
				require.Equal(t, want, l.Said(english), "%s: %q is taken for another sentence", l.Tag(), english)
			}
		}
	}
}

// sampleOf fills the gaps of a sentence.
func sampleOf(s said, text string) (english string, gaps []string) {
	i := 0
	english = gap.ReplaceAllStringFunc(bare(s.key), func(string) string {
		fits := map[string]string{"d": "7", "q": `"` + text + `"`}[s.verbs[i]]
		if fits == "" {
			fits = text
		}
		i++
		gaps = append(gaps, fits)
		return fits
	})
	return strings.ReplaceAll(english, "%%", "%"), gaps
}

func TestWordsOfTheProgram(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Bearbeiter", Of("de").Word("editor"))
	require.Equal(t, "Monitore ändern", Of("de").Word("change monitors"))
	require.Equal(t, "nothing known", Of("de").Word("nothing known"))
	require.Equal(t, "editor", (*Language)(nil).Word("editor"))
}

// TestHostileTextsCostLittle: a text that nearly is a sentence, in very many ways, would be
// tried for minutes if each way were.
func TestHostileTextsCostLittle(t *testing.T) {
	t.Parallel()
	german, err := Parse("de", []byte(`{"In %s a %s b %s c %s d %s e %s": "x", "At %s a %s b %d c": "%[3]d: %[1]s, %[2]s"}`))
	require.NoError(t, err)
	text := "In x"
	for _, part := range []string{" a ", " b ", " c ", " d "} {
		text += strings.Repeat(part, 150)
	}
	require.Equal(t, text, german.Said(text))
	text = "At x" + strings.Repeat(" a ", 300) + strings.Repeat(" b ", 300) + "x c"
	require.Equal(t, text, german.Said(text))
	require.Equal(t, "7: x, y", german.Said("At x a y b 7 c"))
	require.Equal(t, "7: x, y b z", german.Said("At x a y b z b 7 c"), "a gap is as long as it has to be")
}

func BenchmarkSaid(b *testing.B) {
	german := Of("de")
	for name, english := range map[string]string{
		"Cause":   "Down after 3 failed checks in a row: No answer within 10s (connecting to 192.0.2.7:443)",
		"Gap":     "192.0.2.7:443 refused the connection",
		"Exact":   "The certificate is signed by an unknown authority",
		"Unknown": "x509: something that only Go says of a certificate",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				german.Said(english)
			}
		})
	}
}

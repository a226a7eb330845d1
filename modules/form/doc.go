// Package form turns settings structs into fields: the web form, the API
// schema, validation, masking of secrets and docs of a monitor or channel type
// are all drawn from one plain struct, so a type brings no HTML, schema or
// migration of its own.
//
// A settings struct has JSON tags, and its pointer comes with defaults set. Tags
// of a field:
//
//	json         name in the JSON block; "-" leaves the field out
//	label, help  for people; the label is made from the name when absent
//	kind         url, text, textarea, number, bool, duration, select, list,
//	             map, password, email; guessed from the Go type when absent
//	validate     rules of go-playground/validator v10
//	options      the values allowed, separated by commas
//	min, max     bounds of a number or Duration
//	secret       "value": the whole value (each one of a list or map);
//	             "headers": the values of credential headers in a map;
//	             "url": the password in a URL
//	advanced     "true": shown behind a disclosure
//	placeholder  an example inside an empty input
//
// Field paths are those of the JSON: "smtp.password", "expected_status[0]",
// "headers.Authorization". All functions may be called concurrently on different
// settings; one settings value must not be changed meanwhile.
package form

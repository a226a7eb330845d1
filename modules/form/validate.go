package form

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"

	"monitor/modules/uptime"
)

// mapKey is a validator's path element that is not a list's index.
var mapKey = regexp.MustCompile(`\[([^\[\]]*[^\[\]0-9][^\[\]]*)\]`)

// Validate checks settings against the rules, options and bounds of their tags
// and gives everything that is wrong, in the order of the struct; nil: nothing.
func Validate(block string, settings any) []uptime.FieldError {
	v := structOf(settings)
	errs := byRules(block, settings)
	errs = byTags(block, v, errs)
	if len(errs) == 0 {
		return nil
	}
	return inOrder(block, v.Type(), errs)
}

// newValidator is made for each call: one for all would be a package global,
// and settings are validated when people save them, not on a hot path.
func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			return ""
		}
		return name
	})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return time.Duration(f.Int()) }, Duration(0))
	return v
}

func byRules(block string, settings any) []uptime.FieldError {
	err := newValidator().Struct(settings)
	if err == nil {
		return nil
	}
	var broken validator.ValidationErrors
	if !errors.As(err, &broken) {
		panic("form: " + err.Error())
	}
	errs := make([]uptime.FieldError, 0, len(broken))
	for _, b := range broken {
		// The first element is the name of the Go type, which nobody is to see.
		_, path, _ := strings.Cut(b.Namespace(), ".")
		path = withoutEmbedded(path, reflect.TypeOf(settings).Elem())
		path = mapKey.ReplaceAllString(path, ".$1")
		errs = append(errs, uptime.FieldError{Field: join(block, path), Message: message(b)})
	}
	return errs
}

// withoutEmbedded drops the names of embedded structs, which JSON does not have.
func withoutEmbedded(path string, t reflect.Type) string {
	list := members(t)
	for {
		if slices.ContainsFunc(list, func(m member) bool { return within(path, m.name) }) {
			return path
		}
		_, rest, ok := strings.Cut(path, ".")
		if !ok {
			return path
		}
		path = rest
	}
}

// byTags checks what the options, min and max tags ask for.
func byTags(parent string, v reflect.Value, errs []uptime.FieldError) []uptime.FieldError {
	for _, m := range members(v.Type()) {
		f, path := m.value(v), join(parent, m.name)
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				continue
			}
			f = f.Elem()
		}
		if shapeOf(m.typ) == shapeGroup {
			errs = byTags(path, f, errs)
			continue
		}
		if slices.ContainsFunc(errs, func(e uptime.FieldError) bool { return e.Field == path }) {
			continue
		}
		if _, may := m.rule("omitempty"); may && f.IsZero() {
			continue
		}
		errs = checkOptions(path, m, f, errs)
		if text := outOfBounds(m, f); text != "" {
			errs = append(errs, uptime.FieldError{Field: path, Message: text})
		}
	}
	return errs
}

func checkOptions(path string, m member, f reflect.Value, errs []uptime.FieldError) []uptime.FieldError {
	options := m.options()
	if options == nil {
		return errs
	}
	bad := uptime.Say("must be one of %s", strings.Join(options, ", "))
	if slices.Contains(options, "") {
		bad = uptime.Say("must be one of %s (or empty)", strings.Join(options, ", "))
	}
	switch shapeOf(m.typ) {
	case shapeText:
		if !slices.Contains(options, f.String()) {
			errs = append(errs, uptime.FieldError{Field: path, Message: bad})
		}
	case shapeList:
		for i := range f.Len() {
			if !slices.Contains(options, f.Index(i).String()) {
				errs = append(errs, uptime.FieldError{Field: path + "[" + strconv.Itoa(i) + "]", Message: bad})
			}
		}
	default:
	}
	return errs
}

// outOfBounds says what the min and max tags allow, "" when they are kept.
func outOfBounds(m member, f reflect.Value) string {
	low, high := m.tag.Get("min"), m.tag.Get("max")
	if (low == "" || !below(f, low)) && (high == "" || !above(f, high)) {
		return ""
	}
	switch {
	case low != "" && high != "":
		return uptime.Say("must be from %s to %s", low, high)
	case low != "":
		return uptime.Say("must be at least %s", low)
	}
	return uptime.Say("must be at most %s", high)
}

func below(f reflect.Value, bound string) bool { return compare(f, bound) < 0 }
func above(f reflect.Value, bound string) bool { return compare(f, bound) > 0 }

// compare tells how a number or Duration stands to a bound in a tag. A bound
// that cannot be read is a mistake of the program.
func compare(f reflect.Value, bound string) int {
	value, limit := 0.0, 0.0
	var err error
	switch {
	case f.Type() == reflect.TypeFor[Duration]():
		var d time.Duration
		d, err = ParseDuration(bound)
		value, limit = float64(f.Int()), float64(d)
	case f.CanInt():
		limit, err = strconv.ParseFloat(bound, 64)
		value = float64(f.Int())
	case f.CanUint():
		limit, err = strconv.ParseFloat(bound, 64)
		value = float64(f.Uint())
	case f.CanFloat():
		limit, err = strconv.ParseFloat(bound, 64)
		value = f.Float()
	}
	if err != nil {
		panic("form: bad bound in a tag: " + bound)
	}
	switch {
	case value < limit:
		return -1
	case value > limit:
		return 1
	}
	return 0
}

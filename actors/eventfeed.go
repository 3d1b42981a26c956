package actors

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// eventMessage is an event as it is sent: /event/worker_ended and so on, with its fields in their order. Times are seconds, and those of
// the wall clock texts.
func eventMessage(ev Event) (address string, args []any) {
	v := reflect.ValueOf(ev)
	fields(v, "", func(_ string, arg any) { args = append(args, arg) })
	return "/event/" + snake(v.Type().Name()), args
}

// eventUsage is what such a message has, in words.
func eventUsage(ev Event) (address, usage string) {
	v := reflect.ValueOf(ev)
	var names []string
	fields(v, "", func(name string, _ any) { names = append(names, name) })
	return "/event/" + snake(v.Type().Name()), strings.Join(names, " ")
}

// longest is how many bytes of a text in an event are sent.
const longest = 300

// fields goes through what a value holds, fields of fields too.
func fields(v reflect.Value, name string, add func(name string, arg any)) {
	switch x := v.Interface().(type) {
	case time.Duration:
		add(name, float32(x.Seconds()))
		return
	case time.Time:
		add(name, x.Format(time.RFC3339))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fields(v.Field(i), snake(v.Type().Field(i).Name), add)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		add(name, int(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		add(name, int(min(v.Uint(), math.MaxInt64)))
	case reflect.Float32, reflect.Float64:
		add(name, float32(v.Float()))
	case reflect.Bool:
		add(name, v.Bool())
	default: // texts and errors
		text := strings.ReplaceAll(fmt.Sprint(v.Interface()), "\x00", " ")
		add(name, strings.ToValidUTF8(text[:min(len(text), longest)], ""))
	}
}

// snake is a Go name as it is written in addresses: WorkerEnded is worker_ended, PID pid.
func snake(name string) string {
	var b strings.Builder
	before := 'A'
	for _, r := range name {
		if unicode.IsUpper(r) && !unicode.IsUpper(before) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return b.String()
}

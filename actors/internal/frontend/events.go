package frontend

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/music-chronus/chronus/actors/report"
)

// maxEventText bounds a text in an event message, in bytes.
const maxEventText = 300

// Event sends an event to the subscribers of events.
func (f *Frontend) Event(ev report.Event) {
	address, args := eventMessage(ev)
	f.feed.Event(address, args...)
}

// eventMessage returns the message of an event: /event/worker_ended and so on, with the event's
// fields in their order. Durations are sent as seconds, times as texts.
func eventMessage(ev report.Event) (address string, args []any) {
	v := reflect.ValueOf(ev)
	eachField(v, "", func(_ string, arg any) { args = append(args, arg) })
	return "/event/" + snakeCase(v.Type().Name()), args
}

// EventUsage returns the address of an event's message, and the names of its arguments.
func EventUsage(ev report.Event) (address, usage string) {
	v := reflect.ValueOf(ev)
	var names []string
	eachField(v, "", func(name string, _ any) { names = append(names, name) })
	return "/event/" + snakeCase(v.Type().Name()), strings.Join(names, " ")
}

// eachField calls add for each field of a value, and for the fields of a struct within it.
func eachField(v reflect.Value, name string, add func(name string, arg any)) {
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
			eachField(v.Field(i), snakeCase(v.Type().Field(i).Name), add)
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
		add(name, strings.ToValidUTF8(text[:min(len(text), maxEventText)], ""))
	}
}

// snakeCase returns a Go name as addresses have it: worker_ended for WorkerEnded, pid for PID.
func snakeCase(name string) string {
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

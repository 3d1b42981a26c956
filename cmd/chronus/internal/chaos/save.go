package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// Save writes report.json and waveform.svg into a directory, which it makes if necessary.
func (p Report) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var text, picture bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	err := errors.Join(e.Encode(p), p.Draw(&picture))
	if err == nil {
		err = errors.Join(
			os.WriteFile(filepath.Join(dir, "report.json"), text.Bytes(), 0o666),
			os.WriteFile(filepath.Join(dir, "waveform.svg"), picture.Bytes(), 0o666),
		)
	}
	return err
}

// Package samples stores the sound files that patches play. The store is a folder in which each
// file is named by the SHA-256 of its bytes. Loading a patch copies its files there and replaces
// their names by these sums. So every worker, and a tape rendered later, opens the same bytes.
package samples

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sample"
)

// DirVariable is the environment variable with the store's folder.
const DirVariable = "CHRONUS_SAMPLES"

// maxFile is the most bytes of a file: patch.MaxSampleBytes as 64-bit floats, and as much again for
// pictures and other metadata.
const maxFile = 4 * patch.MaxSampleBytes

// DefaultDir returns the folder in DirVariable, else XDG_DATA_HOME/chronus/samples, else
// ~/.local/share/chronus/samples. The result is "" if there is no home folder.
func DefaultDir() string {
	if dir := os.Getenv(DirVariable); dir != "" {
		return dir
	}
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "chronus", "samples")
}

// Store is a folder of samples. Many processes may use it at once, since its files never change.
type Store struct{ dir string }

// In returns the store in a folder. The first file creates the folder.
func In(dir string) Store { return Store{dir} }

// path returns the path of a file.
func (s Store) path(sum string) (string, error) {
	if s.dir == "" {
		return "", fmt.Errorf("no folder for samples; set %s", DirVariable)
	}
	return filepath.Join(s.dir, sum), nil
}

// Open reads the file with a sum, a SHA-256 in hexadecimal, and checks its bytes against the sum.
func (s Store) Open(sum string) (*dsp.Sample, error) {
	path, err := s.path(sum)
	if err != nil {
		return nil, err
	}
	x, got, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// The error does not wrap fs.ErrNotExist: the file that the user named is there, and lacks
		// a part.
		return nil, fmt.Errorf("sample file %s is missing; load the patch from its file again, "+
			"or copy its samples into %s", path, s.dir)
	case got != "" && got != sum:
		return nil, fmt.Errorf("sample file %s is damaged: its SHA-256 is %s; "+
			"remove it and load the patch from its file again", path, got)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

// read reads a sound file and the sum of its bytes. With an error the sum may still be set.
func read(path string) (x *dsp.Sample, sum string, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, "", err
	case !info.Mode().IsRegular(): // opening a FIFO could block for ever
		return nil, "", errors.New("not a regular file")
	case info.Size() > maxFile:
		return nil, "", fmt.Errorf("%d MB; the maximum is %d MB", info.Size()>>20, maxFile>>20)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	hash := sha256.New()
	in := io.TeeReader(io.LimitReader(f, maxFile), hash)
	x, err = sample.Decode(in, patch.MaxSampleBytes)
	if _, rerr := io.Copy(io.Discard, in); rerr != nil {
		return nil, "", rerr
	}
	return x, hex.EncodeToString(hash.Sum(nil)), err
}

// put copies a file with a known sum into the store, unless it is there.
func (s Store) put(from, sum string) (err error) {
	to, err := s.path(sum)
	if err != nil {
		return err
	}
	if _, got, err := read(to); err == nil && got == sum {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("folder for samples: %w; choose another folder", err)
	}
	tmp, err := os.CreateTemp(s.dir, "new-*")
	if err != nil {
		return fmt.Errorf("folder for samples: %w; choose another folder", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	hash := sha256.New()
	err = copyFile(io.MultiWriter(tmp, hash), from)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("copy to %s: %w", s.dir, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		return errors.New("changed while it was read; try again")
	}
	return os.Rename(tmp.Name(), to)
}

func copyFile(to io.Writer, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(to, io.LimitReader(f, maxFile))
	return err
}

// Load reads and checks every file that a patch's text names, copies it into the store, and returns
// the text with the files' sums in place of their names. Relative paths begin at dir, the patch's
// folder; if dir is "", they are errors. name is the text's name in errors. A text without samples
// is returned unchanged.
func (s Store) Load(name string, text []byte, dir string) ([]byte, error) {
	bytes, counted := 0, map[string]bool{}
	return patch.WithSums(name, text, func(x patch.Sample) (sum string, err error) {
		var sound *dsp.Sample
		if sum = x.Sum; sum != "" {
			sound, err = s.Open(sum)
		} else {
			sound, sum, err = s.take(x.File, dir)
		}
		if err != nil {
			return "", err
		}
		if !counted[sum] {
			counted[sum] = true
			bytes += sound.Bytes()
		}
		if bytes > patch.MaxSampleBytes {
			return "", fmt.Errorf("with it the samples take %d MB; the maximum is %d MB: "+
				"shorten them, or make them mono", patch.Megabytes(bytes), patch.MaxSampleBytes>>20)
		}
		return sum, nil
	})
}

// take reads a file and puts it into the store.
func (s Store) take(file, dir string) (*dsp.Sample, string, error) {
	path := file
	if !filepath.IsAbs(path) {
		if dir == "" {
			return nil, "", fmt.Errorf("%s: a relative path needs a patch in a file; write an absolute path", file)
		}
		path = filepath.Join(dir, path)
	}
	x, sum, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("%s: no such file; relative paths begin at the patch's folder", path)
	}
	if err == nil {
		err = s.put(path, sum)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return x, sum, nil
}

// Package samples is the store of the sound files that patches play: a folder in which each lies under the SHA-256 of its bytes. A patch that
// is loaded has its files copied there, and names them by what is in them; every worker, and whoever renders a tape later, opens the same bytes.
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

// DirVariable is the environment variable that names the store's folder.
const DirVariable = "CHRONUS_SAMPLES"

// maxFile is the most bytes of a file: what fits patch.MaxSampleBytes as 64-bit floats, and as much again for pictures and the like.
const maxFile = 4 * patch.MaxSampleBytes

// DefaultDir is the folder that DirVariable names, else XDG_DATA_HOME/chronus/samples, else ~/.local/share/chronus/samples; "" if there is no home.
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

// Store is a folder of samples. It may be used by many processes at once: a file in it never changes.
type Store struct{ dir string }

// In is the store in a folder, which is made when the first file comes into it.
func In(dir string) Store { return Store{dir} }

// path is where a file lies.
func (s Store) path(sum string) (string, error) {
	if s.dir == "" {
		return "", fmt.Errorf("there is no folder for samples: give --samples, or set %s", DirVariable)
	}
	return filepath.Join(s.dir, sum), nil
}

// Open reads the file of a sum, a SHA-256 in hexadecimal, and checks that it is what it should be.
func (s Store) Open(sum string) (*dsp.Sample, error) {
	path, err := s.path(sum)
	if err != nil {
		return nil, err
	}
	x, got, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Not as fs.ErrNotExist: what somebody asked for is there, and lacks a part.
		return nil, fmt.Errorf("there is no file %s: load the patch from its file once more, or copy its samples into %s", path, s.dir)
	case got != "" && got != sum:
		return nil, fmt.Errorf("%s is damaged: what is in it has the SHA-256 %s: remove it, and load the patch from its file once more", path, got)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

// read reads a sound file and the sum of all its bytes. With an error there may be a sum all the same.
func read(path string) (x *dsp.Sample, sum string, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, "", err
	case !info.Mode().IsRegular(): // to open one might wait for ever
		return nil, "", errors.New("it is no file")
	case info.Size() > maxFile:
		return nil, "", fmt.Errorf("it has %d MB; the most are %d", info.Size()>>20, maxFile>>20)
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

// put copies a file that has the sum into the store, unless it is there.
func (s Store) put(from, sum string) (err error) {
	to, err := s.path(sum)
	if err != nil {
		return err
	}
	if _, got, err := read(to); err == nil && got == sum {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("folder for samples: %w: choose another with --samples", err)
	}
	tmp, err := os.CreateTemp(s.dir, "new-*")
	if err != nil {
		return fmt.Errorf("folder for samples: %w: choose another with --samples", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	hash := sha256.New()
	err = copyFile(io.MultiWriter(tmp, hash), from)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("copy it to %s: %w", s.dir, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		return errors.New("it changed while it was read: try once more")
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

// Load has every file that a patch's text names read, checked and copied into the store, and returns the text with their sums in the place of the files.
// Paths are from dir, the folder of the patch; with "" there are none that are not absolute. name stands for the text in messages. A text without
// samples comes back as it is.
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
			return "", fmt.Errorf("with it the samples take %d MB in memory, the most are %d: shorten them, or make them mono", patch.Megabytes(bytes), patch.MaxSampleBytes>>20)
		}
		return sum, nil
	})
}

// take reads a file and puts it into the store.
func (s Store) take(file, dir string) (*dsp.Sample, string, error) {
	path := file
	if !filepath.IsAbs(path) {
		if dir == "" {
			return nil, "", fmt.Errorf("%s: only a patch in a file has files beside it: give the whole path", file)
		}
		path = filepath.Join(dir, path)
	}
	x, sum, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("there is no file %s: paths are from the folder of the patch", path)
	}
	if err == nil {
		err = s.put(path, sum)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return x, sum, nil
}

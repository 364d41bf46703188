package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
)

// pauseImage is also what pods run that have no program of their own: its program only waits.
const pauseImage = "test.skolo/pause:1"

// pauseProgram returns an executable that calls pause(2) again and again: the header of an ELF file, one segment, and the code.
func pauseProgram() []byte {
	machine, code := uint16(62), []byte{0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7} // mov eax, 34; syscall; jmp -9
	if runtime.GOARCH == "arm64" {
		// mov x0-x4, #0 (no descriptors, no limit); mov x8, #73 (ppoll); svc #0; b -7
		machine, code = 183, nil
		for _, word := range []uint32{0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd2800928, 0xd4000001, 0x17fffff9} {
			code = binary.LittleEndian.AppendUint32(code, word)
		}
	}
	const base, header = 0x400000, 64 + 56
	size := uint64(header + len(code))
	var file bytes.Buffer
	file.Write([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	for _, field := range []any{
		uint16(2), machine, uint32(1), uint64(base + header), uint64(64), uint64(0), uint32(0), uint16(64), uint16(56), uint16(1),
		uint16(0), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), size, size, uint64(4096),
	} {
		binary.Write(&file, binary.LittleEndian, field)
	}
	file.Write(code)
	return file.Bytes()
}

// writePauseImage writes the archive of an image with that program, as `docker save` does.
func writePauseImage(out io.Writer) error {
	var layer bytes.Buffer
	if err := writeTar(&layer, map[string][]byte{"pause": pauseProgram()}); err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/pause"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer.Bytes()))}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{
		{"Config": "config.json", "RepoTags": []string{pauseImage}, "Layers": []string{"layer.tar"}},
	})
	if err != nil {
		return err
	}
	return writeTar(out, map[string][]byte{"layer.tar": layer.Bytes(), "config.json": config, "manifest.json": manifest})
}

func writeTar(out io.Writer, files map[string][]byte) error {
	archive := tar.NewWriter(out)
	for name, content := range files {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

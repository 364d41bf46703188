"""
The initrd of an image for tests: busybox, and the modules that its root partition is behind. `initrd.py MODULES BUSYBOX OUT NAME…`

The archive is that of cpio, newc (Documentation/driver-api/early-userspace/buffer-format.rst of Linux), which not every computer has a
program for.
"""
import lzma
import os
import re
import sys

INIT = b"""#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev
for module in /mod/*; do $b insmod $module; done
for word in $($b cat /proc/cmdline); do case $word in root=*) root=${word#root=} ;; esac; done
until dev=$($b findfs "$root"); do $b sleep 1; done
$b mount -t ext4 "$dev" /mnt
$b umount /proc /sys
$b mount -o move /dev /mnt/dev
exec $b switch_root /mnt /sbin/init
"""


def with_needs(folder, wanted):
    """Each module after those that it needs."""
    paths = {
        file.removesuffix('.xz').removesuffix('.ko').replace('-', '_'): os.path.join(at, file)
        for at, _, files in os.walk(folder)
        for file in files
        if '.ko' in file
    }
    modules = {}

    def add(name):
        name = name.replace('-', '_')
        if name == '' or name in modules:
            return
        with lzma.open(paths[name]) as file:
            data = file.read()
        for each in re.search(rb'depends=([^\0]*)\0', data)[1].decode().split(','):
            add(each)
        modules[name] = data

    for name in wanted:
        add(name)
    return modules


def entry(number, name, mode, data):
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = '070701' + ''.join(f'{field:08X}' for field in fields) + name + '\0'
    return padded(head.encode()) + padded(data)


def padded(data):
    return data + b'\0' * (-len(data) % 4)


def main():
    modules, busybox, out, *wanted = sys.argv[1:]
    with open(busybox, 'rb') as file:
        program = file.read()
    files = [(name, 0o40755, b'') for name in ('bin', 'proc', 'sys', 'dev', 'mnt', 'mod')]
    files += [('bin/busybox', 0o100755, program), ('init', 0o100755, INIT)]
    for number, (name, data) in enumerate(with_needs(modules, wanted).items()):
        files.append((f'mod/{number:02}-{name}.ko', 0o100644, data))
    files.append(('TRAILER!!!', 0, b''))
    with open(out, 'wb') as file:
        for number, each in enumerate(files, 1):
            file.write(entry(number, *each))


main()

// Makes an unpacked kernel quicker to load.
#pragma once

namespace twinbox::vmm::boot {

// Shortens what each segment takes from the file by the zeros at its end, which a loader provides
// anyway: a distribution's vmlinux holds its bss and scratch space as 11 MiB of them. `fd` is open
// for reading and writing. A file that is no proper ELF is left for the loader to complain about.
void trim_elf(int fd);

}  // namespace twinbox::vmm::boot

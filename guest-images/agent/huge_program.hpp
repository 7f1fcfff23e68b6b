// The program's own code, in huge pages.
#pragma once

namespace twinbox::agent {

// Moves this program's code and constants from small pages of a file into huge ones of its own. All
// copies of a machine that is saved afterwards share them, and meet them by one page fault each
// where there were a hundred; a process forked from this one has them without any.
//
// Does nothing where the program is not linked for it (its code starts at a multiple of a huge
// page, and its data in another one), or the kernel gives no huge page (before Linux 6.1).
void move_program_to_huge_pages();

}  // namespace twinbox::agent

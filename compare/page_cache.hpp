// What the host keeps of files in memory.
#pragma once

namespace twinbox::compare {

// Has the kernel forget all that it can read again, of all processes of the host. Throws
// base::Error where that is not allowed.
void drop_page_cache();

}  // namespace twinbox::compare

// Linked into static programs. Their start files register all unwinding tables with libgcc's older
// interface, which sorts the tables of the whole program at the first exception: 30 million
// instructions. Without that it searches the linker's sorted table (--eh-frame-hdr), as in dynamic
// programs. The linker puts these in place of the functions that the start files call (--wrap).
extern "C" {

void __wrap___register_frame_info(const void*, void*) {}               // NOLINT
void* __wrap___deregister_frame_info(const void*) { return nullptr; }  // NOLINT
}

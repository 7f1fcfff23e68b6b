// A minimal virtio-mmio driver (virtio 1.2), and one that breaks the rules on purpose.
#pragma once

namespace guest {

// Prints what each device slot holds.
void virtio_probe();
// Fetches 32 bytes from the entropy device as a driver should.
void virtio_entropy();
// Writes to a disk and reads back, for ever, calling `each_turn` now and then; ends when what it
// reads is not what it wrote.
void virtio_disk_load(void (*each_turn)());
// Goes through the status bits in wrong orders and prints what the device makes of it.
void virtio_status();
// Offers buffers that are not in RAM and a chain without an end, and prints the device's status.
void virtio_bad_descriptor();

}  // namespace guest

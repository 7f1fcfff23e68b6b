// Figures that others published, of other hosts: bands to stand beside measured values, not targets.
export const references = [
  { metric: "request to exec", unit: "ns", name: "Firecracker, promise", low: 0, high: 125e6, source: "Firecracker SPECIFICATION.md: at most 125 ms from InstanceStart to the guest's /sbin/init; M5D.metal and M6G.metal, serial console off, minimal kernel" },
  { metric: "request to exec", unit: "ns", name: "Firecracker, own timer to whole process", low: 110e6, high: 161e6, source: "measured by others with Firecracker's boot timer (110 ms) and around its whole process (161 ms)" },
  { metric: "request to exec", unit: "ns", name: "Cloud Hypervisor", low: 65e6, high: 103e6, source: "the same monitor on two published hosts: 65 and 103 ms" },
  { metric: "monitor", unit: "B", name: "Firecracker, promise", low: 0, high: 5 * 1048576, source: "Firecracker SPECIFICATION.md: at most 5 MiB of overhead of the monitor's threads, 1 CPU and 128 MiB of RAM" },
  { metric: "monitor", unit: "B", name: "Firecracker to QEMU, virtual sizes", low: 3e6, high: 131e6, source: "Agache et al., Firecracker, NSDI '20: 3 MB (Firecracker), 13 MB (Cloud Hypervisor), 131 MB (QEMU), which are virtual sizes" },
  { metric: "monitor", unit: "B", name: "Firecracker to QEMU, resident", low: 2.2e6, high: 16.4e6, source: "the same three resident: 2.2, 5.8 and 16.4 MB" },
  { metric: "memory per instance", unit: "B", name: "RunD on a node of 384 GB", low: 0, high: 384e9 / 2500, source: "Li et al., RunD, USENIX ATC '22: over 2,500 secure containers on a node with 384 GB of memory, at most 154 MB each" },
];

// Papers that compared such boxes and whose figures are plots: their findings, without a number.
export const findings = [
  "Anjali, Caraza-Harter and Swift, Blending Containers and Virtual Machines, VEE '20: Firecracker and gVisor both execute substantially more kernel code than native Linux, although they move functionality out of it.",
  "van Rijn and Rellermeyer, A Fresh Look at the Architecture and Performance of Contemporary Isolation Platforms, Middleware '21: containers perform close to native, secure containers (gVisor, Kata) suffer from various overheads.",
  "Li et al., RunD, USENIX ATC '22: over 200 secure containers started per second on a node of 104 virtual CPUs.",
];

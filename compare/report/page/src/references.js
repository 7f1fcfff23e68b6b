// Figures that others published, of other hosts: bands to stand beside measured values, not targets.
// Each is told as its source tells it, with where it stands there.
const firecracker = "Firecracker, SPECIFICATION.md, item “Overhead” (on I3.metal, later M5D.metal and M6G.metal; 1 CPU, 128 MiB, serial console off, minimal kernel and root)";
const agache = "Agache et al., Firecracker: Lightweight Virtualization for Serverless Applications, USENIX NSDI 2020, evaluation, text on memory overhead";
const young = "Young et al., The True Cost of Containing: A gVisor Case Study, USENIX HotCloud 2019, section on system calls";
const rund = "Li et al., RunD: A Lightweight Secure Container Runtime for High-density Deployment and High-concurrency Startup in Serverless Computing, USENIX ATC 2022, abstract";

export const references = [
  { metric: "request to exec", unit: "ns", name: "Firecracker, promise", low: 0, high: 125e6, source: `at most 125 ms from the InstanceStart call to the guest's /sbin/init. ${firecracker}` },
  { metric: "monitor", unit: "B", name: "Firecracker, promise", low: 0, high: 5 * 1048576, source: `at most 5 MiB of the monitor's threads. ${firecracker}` },
  { metric: "monitor", unit: "B", name: "Firecracker, NSDI '20", low: 3e6, high: 3e6, source: `around 3 MB beside the guest's memory, by sizes of mappings. ${agache}` },
  { metric: "monitor", unit: "B", name: "Cloud Hypervisor, NSDI '20", low: 13e6, high: 13e6, source: `around 13 MB beside the guest's memory, by sizes of mappings. ${agache}` },
  { metric: "monitor", unit: "B", name: "QEMU, NSDI '20", low: 131e6, high: 131e6, source: `around 131 MB beside the guest's memory, by sizes of mappings. ${agache}` },
  { metric: "memory per instance", unit: "B", name: "RunD, ATC '22", low: 0, high: 384e9 / 2500, source: `over 2500 secure containers on a node with 384 GB of memory: at most 154 MB each. ${rund}` },
  { metric: "launch rate", unit: "1/s", name: "RunD, ATC '22", low: 200, high: 200, source: `over 200 secure containers started in a second. ${rund}` },
  { metric: "syscalls", unit: "×", name: "gVisor, its own kernel answers", low: 2.2, high: 2.2, source: `2.2 times slower than native where the Sentry answers alone. ${young}` },
  { metric: "syscalls", unit: "×", name: "gVisor, with the host's kernel", low: 9, high: 9, source: `9 times slower than native where the Sentry calls the host. ${young}` },
  { metric: "syscalls", unit: "×", name: "gVisor, with its file server", low: 72, high: 72, source: `72 times slower than native where the Gofer opens a file. ${young}` },
];

// Papers that compared such boxes and whose figures are plots: what their abstracts find, without a number.
export const findings = [
  "Anjali, Caraza-Harter and Swift, Blending Containers and Virtual Machines: A Study of Firecracker and gVisor, VEE 2020, abstract: Firecracker and gVisor both execute substantially more kernel code than native Linux, although they move much functionality out of it; gVisor and Linux containers execute substantially the same code, with different frequency.",
  "van Rijn and Rellermeyer, A Fresh Look at the Architecture and Performance of Contemporary Isolation Platforms, Middleware 2021, abstract: container platforms perform best, near to native; the newer secure containers suffer from various overheads.",
];

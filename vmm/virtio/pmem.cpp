#include "vmm/virtio/pmem.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/size.hpp"

namespace twinbox::vmm::virtio {
namespace {

// Whether the request is the one that there is (5.19.6).
bool is_flush(const DescriptorChain& chain) {
  const auto request = chain.reader().read_object<abi::pmem::Request>();
  return request && request->type == abi::pmem::request_flush;
}

}  // namespace

void Pmem::on_queue(std::uint16_t index) {
  serve_chains(index, [&](DescriptorChain chain) {
    const bool granted = is_flush(chain);
    const abi::pmem::Response response{granted ? abi::pmem::status_ok : abi::pmem::status_failed};
    const auto written = chain.writer().write(std::as_bytes(std::span(&response, 1)));
    if (!granted || written < sizeof response) count_fault("a malformed request to flush");
    queue(index).complete(std::move(chain), static_cast<std::uint32_t>(written));
  });
}

void Pmem::on_restore(StateReader& reader) {
  const auto saved = reader.get<abi::pmem::Config>();
  if (saved.start == config_.start && saved.size == config_.size) return;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("the machine was saved with {} for its image at {:#x}, not with {} "
                                "at {:#x}",
                                base::format_size(saved.size), saved.start,
                                base::format_size(config_.size), config_.start),
                    "start it with the size that it had");
}

}  // namespace twinbox::vmm::virtio

// One client of a supervisor, over the framed protocol.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/json.hpp"
#include "sandbox/frame_connection.hpp"
#include "supervise/supervised_box.hpp"

namespace twinbox::supervise {

class ControlConnection {
 public:
  // `on_gone` may destroy this.
  ControlConnection(base::EventLoop& loop, base::Fd stream, SupervisedBox& box,
                    std::function<void()> on_gone);
  ControlConnection(const ControlConnection&) = delete;
  ControlConnection& operator=(const ControlConnection&) = delete;
  ~ControlConnection();

  bool gone() const { return gone_; }
  // Whether the client has been sent all that it is to know.
  bool drained() const { return connection_->drained(); }

 private:
  using Reply = sandbox::Answer<std::string>;
  struct Attachment {
    Output::ListenerId listener = 0;
    bool gives_input = true;
    // What was sent before the workload was started; the window of a stream bounds it.
    std::unique_ptr<sandbox::StreamSink> in;
  };

  void take(const sandbox::protocol::Frame& frame);
  void take_process_frame(const sandbox::protocol::Frame& frame);
  void take_attachment_frame(Attachment& attachment, const sandbox::protocol::Frame& frame);
  void attach(const sandbox::protocol::Frame& frame);
  void end_attachment(std::uint32_t id, const sandbox::Outcome& outcome);
  std::unique_ptr<sandbox::StreamSink> make_input(std::uint32_t id);
  void end_input(const Attachment& attachment);
  void exec(const sandbox::protocol::Frame& frame);
  void request(const sandbox::protocol::Frame& frame);
  void carry_out(const base::JsonView& request, const Reply& reply);
  bool carry_out_on_life(std::string_view what, const base::JsonView& request, const Reply& reply);
  bool carry_out_question(std::string_view what, const base::JsonView& request, const Reply& reply);
  void lose();

  base::EventLoop& loop_;
  SupervisedBox& box_;
  std::function<void()> on_gone_;
  std::shared_ptr<sandbox::FrameConnection> connection_;
  std::map<std::uint32_t, Attachment> attachments_;
  std::map<std::uint32_t, std::weak_ptr<sandbox::ServedProcess>> processes_;
  bool gone_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace twinbox::supervise

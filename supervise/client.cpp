#include "supervise/client.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "sandbox/box_words.hpp"
#include "supervise/control_socket.hpp"

namespace twinbox::supervise {
namespace {

using base::Json;

Json stop_question(const char* what, std::optional<int> timeout, std::optional<int> signal) {
  Json question{{"do", what}};
  if (timeout) question["timeout"] = *timeout;
  if (signal) question["signal"] = *signal;
  return question;
}

}  // namespace

std::unique_ptr<BoxClient> BoxClient::connect(base::EventLoop& loop, const BoxStore& store,
                                              const BoxRecord& record) {
  return std::make_unique<BoxClient>(loop, connect_in(store.directory(record.id)));
}

BoxClient::BoxClient(base::EventLoop& loop, base::Fd control)
    : session_(loop, std::move(control), {}, "the box's supervisor") {}

BoxClient::StreamId BoxClient::attach(sandbox::Stdio stdio,
                                      std::function<void(const sandbox::Outcome&)> on_end) {
  return session_.attach(stdio, {.on_started = {}, .on_end = std::move(on_end)});
}

BoxClient::StreamId BoxClient::exec(const sandbox::ExecRequest& request) {
  return session_.start_exec(0, request);
}

template <typename T, typename Decode>
void BoxClient::ask_json(const Json& question, sandbox::Answer<T> answer, Decode decode) {
  session_.request(0, question.dump(), [answer = std::move(answer), decode](const auto& reply) {
    if (const auto* error = std::get_if<base::Error>(&reply)) return answer(*error);
    std::optional<std::variant<T, base::Error>> decoded;
    try {
      decoded.emplace(decode(std::get<std::string>(reply)));
    } catch (const base::Error& error) {
      decoded.emplace(error);
    }
    answer(*decoded);
  });
}

void BoxClient::ask_done(const Json& question, sandbox::Done done) {
  ask_json<std::monostate>(question, std::move(done),
                           [](const std::string&) { return std::monostate{}; });
}

void BoxClient::start(sandbox::Answer<Started> answer) {
  ask_json<Started>({{"do", "start"}}, std::move(answer), started_from_json);
}

void BoxClient::stop(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done) {
  ask_done(stop_question("stop", timeout, signal), std::move(done));
}

void BoxClient::restart(std::optional<int> timeout, std::optional<int> signal, sandbox::Done done) {
  ask_done(stop_question("restart", timeout, signal), std::move(done));
}

void BoxClient::kill(int number, sandbox::Done done) {
  ask_done({{"do", "kill"}, {"signal", number}}, std::move(done));
}

void BoxClient::pause(sandbox::Done done) { ask_done({{"do", "pause"}}, std::move(done)); }
void BoxClient::unpause(sandbox::Done done) { ask_done({{"do", "unpause"}}, std::move(done)); }
void BoxClient::remove(sandbox::Done done) { ask_done({{"do", "remove"}}, std::move(done)); }

void BoxClient::save(const std::filesystem::path& directory, sandbox::Done done) {
  ask_done({{"do", "save"}, {"directory", directory.string()}}, std::move(done));
}

void BoxClient::rename(const std::string& name, sandbox::Done done) {
  ask_done({{"do", "rename"}, {"name", name}}, std::move(done));
}

void BoxClient::update(const sandbox::Resources& limits, std::optional<RestartPolicy> restart,
                       sandbox::Done done) {
  Json question{{"do", "update"}, {"limits", sandbox::to_json(limits)}};
  if (restart) question["restart"] = to_string(*restart);
  ask_done(question, std::move(done));
}

void BoxClient::statistics(sandbox::Answer<sandbox::Statistics> answer) {
  ask_json<sandbox::Statistics>(
      {{"do", "statistics"}}, std::move(answer),
      [](const std::string& text) { return sandbox::statistics_from_json(text, "statistics"); });
}

void BoxClient::list_processes(sandbox::Answer<std::vector<sandbox::ProcessEntry>> answer) {
  ask_json<std::vector<sandbox::ProcessEntry>>(
      {{"do", "processes"}}, std::move(answer),
      [](const std::string& text) { return sandbox::processes_from_json(text, "processes"); });
}

void BoxClient::list_changes(sandbox::Answer<std::vector<sandbox::FileChange>> answer) {
  ask_json<std::vector<sandbox::FileChange>>(
      {{"do", "changes"}}, std::move(answer),
      [](const std::string& text) { return sandbox::changes_from_json(text, "changes"); });
}

void BoxClient::wait(sandbox::Answer<Ended> answer) {
  ask_json<Ended>({{"do", "wait"}}, std::move(answer), ended_from_json);
}

}  // namespace twinbox::supervise

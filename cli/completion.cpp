// twinbox completion: what a shell needs to complete this command's words.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

// Flags come from the verb's own help, names of boxes and images from the lists, when asked.
constexpr std::string_view bash_script = R"bash(_twinbox_images() {
  twinbox image ls 2>/dev/null | tail -n +2 | cut -d ' ' -f 1
}
_twinbox_boxes() {
  twinbox ps -a --format '{{.Names}}' 2>/dev/null
}
_twinbox_snapshots() {
  twinbox snapshot ls --format '{{.Name}}' 2>/dev/null
}
_twinbox_standby() {
  twinbox standby ls --format '{{.Image}}' 2>/dev/null
}
_twinbox() {
  local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} choices=
  if [ "$COMP_CWORD" -eq 1 ] || [ "$verb" = help ]; then
    choices='@VERBS@'
  elif [ "${COMP_WORDS[COMP_CWORD - 1]}" = --from ]; then
    choices=$(_twinbox_snapshots)
  elif [[ $word == -* ]]; then
    choices=$(twinbox help "$verb" 2>/dev/null | grep -oE -- '--[a-z][a-z-]*')
  else
    case $verb in
      run | create) choices=$(_twinbox_images) ;;
      image) choices="import ls rm verify $(_twinbox_images)" ;;
      snapshot)
        choices='create inspect ls prune rm'
        case ${COMP_WORDS[2]} in
          create) choices=$(_twinbox_boxes) ;;
          inspect | rm) choices=$(_twinbox_snapshots) ;;
        esac ;;
      standby)
        choices='ls start stop'
        case ${COMP_WORDS[2]} in
          start) choices=$(_twinbox_images) ;;
          stop) choices=$(_twinbox_standby) ;;
        esac ;;
      inspect) choices="$(_twinbox_boxes) $(_twinbox_images)" ;;
      completion) choices=bash ;;
      boot | compare | doctor | events | info | lab | ps) ;;
      *) choices=$(_twinbox_boxes) ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$choices" -- "$word"))
}
complete -o default -F _twinbox twinbox
)bash";

std::string verb_names() {
  std::string names = "help";
  for (const auto& group : all_verbs()) {
    for (const auto& verb : group.verbs) names += fmt::format(" {}", verb.name);
  }
  return names;
}

}  // namespace

int completion(const Arguments& arguments) {
  Options options("completion bash",
                  "Prints a script that completes twinbox's words: source <(twinbox completion "
                  "bash)");
  const auto words = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  if (words != std::vector<std::string>{"bash"}) {
    throw base::Error(base::ErrorKind::usage, "completion is for bash", options.see_help());
  }
  constexpr std::string_view mark = "@VERBS@";
  std::string script(bash_script);
  for (auto at = script.find(mark); at != std::string::npos; at = script.find(mark)) {
    script.replace(at, mark.size(), verb_names());
  }
  fmt::print("{}", script);
  return 0;
}

}  // namespace twinbox::cli

#include "cli/format_template.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace twinbox::cli {
namespace {

const base::Json box{
    {"ID", "0123456789ab"},
    {"Names", "web"},
    {"Running", true},
    {"Pid", 0},
    {"Error", nullptr},
    {"Args", {"-c", "exit 3"}},
    {"Empty", base::Json::array()},
    {"State", {{"ExitCode", 3}, {"Status", "exited"}}},
    {"Labels", {{"com.example.tier", "front"}, {"zone", "b"}}},
    {"Mounts", {{{"Source", "/a"}, {"Size", 1}}, {{"Source", "/b"}, {"Size", 2}}}},
};

std::string render(std::string_view text) { return FormatTemplate(text).render(box); }

struct Case {
  const char* text;
  const char* expected;
};

class Templates : public ::testing::TestWithParam<Case> {};

TEST_P(Templates, AreRenderedAsGoDoes) {
  EXPECT_EQ(render(GetParam().text), GetParam().expected) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Text, Templates,
    ::testing::Values(Case{"", ""}, Case{"plain", "plain"}, Case{"{{.ID}}", "0123456789ab"},
                      Case{"{{ .Names }}/{{.State.ExitCode}}", "web/3"},
                      Case{"{{.Args}}", "[-c exit 3]"},
                      Case{"{{.State}}", "map[ExitCode:3 Status:exited]"},
                      Case{"{{.Error}}", "<no value>"}, Case{"{{.Running}}", "true"},
                      Case{"a  {{- .Names -}}  \n b", "awebb"}, Case{"a{{/* note */}}b", "ab"},
                      Case{"{{\"a\\tb\"}}{{`c\\d`}}", "a\tbc\\d"}, Case{"{{\"}}\"}}", "}}"},
                      Case{"{{3}}{{-4}}{{true}}", "3-4true"}));

INSTANTIATE_TEST_SUITE_P(
    Functions, Templates,
    ::testing::Values(
        Case{"{{json .Args}}", R"(["-c","exit 3"])"}, Case{"{{json .Names | upper}}", "\"WEB\""},
        Case{"{{.Names | upper | lower}}", "web"}, Case{"{{title \"big box\"}}", "Big Box"},
        Case{"{{join .Args \"+\"}}", "-c+exit 3"}, Case{"{{split \"a,b\" \",\"}}", "[a b]"},
        Case{"{{index .Args 1}}", "exit 3"},
        Case{"{{index .Labels \"com.example.tier\"}}", "front"},
        Case{"{{index .Labels \"missing\"}}", ""}, Case{"{{(index .Mounts 1).Source}}", "/b"},
        Case{"{{len .Args}}{{len .ID}}", "212"}, Case{"{{truncate .ID 4}}", "0123"},
        Case{"{{println .Names .Pid}}", "web 0\n"}, Case{"{{print 1 2 \"a\" 3}}", "1 2a3"},
        Case{"{{printf \"%s is %d%% %q\" .Names 7 .ID}}", "web is 7% \"0123456789ab\""},
        Case{"{{eq .Names \"x\" \"web\"}}{{ne 1 2}}{{lt 1 2}}{{ge 1 2}}", "truetruetruefalse"},
        Case{"{{and .Pid .Names}}{{or .Pid .Names}}{{not .Pid}}", "0webtrue"}));

INSTANTIATE_TEST_SUITE_P(
    Control, Templates,
    ::testing::Values(Case{"{{if .Running}}up{{else}}down{{end}}", "up"},
                      Case{"{{if .Pid}}up{{end}}", ""},
                      Case{"{{if .Pid}}a{{else if .Running}}b{{else}}c{{end}}!", "b!"},
                      Case{"{{range .Mounts}}{{.Source}}={{.Size}} {{end}}", "/a=1 /b=2 "},
                      Case{"{{range .Empty}}x{{else}}none{{end}}", "none"},
                      Case{"{{range $i, $arg := .Args}}{{$i}}:{{$arg}} {{end}}", "0:-c 1:exit 3 "},
                      Case{"{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}",
                           "com.example.tier=front zone=b "},
                      Case{"{{range .Args}}{{$.Names}}{{end}}", "webweb"},
                      Case{"{{with .State}}{{.Status}}{{end}}", "exited"},
                      Case{"{{with .Pid}}x{{else}}none{{end}}", "none"},
                      Case{"{{$n := .Names}}{{$n}}{{$n = \"other\"}}{{$n}}", "webother"},
                      Case{"{{if and .Running (eq .State.ExitCode 3)}}both{{end}}", "both"}));

class BadTemplates : public ::testing::TestWithParam<const char*> {};

TEST_P(BadTemplates, AreUsageErrors) {
  try {
    const auto text = render(GetParam());
    FAIL() << GetParam() << " gave " << text;
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_TRUE(error.message().starts_with("--format: ")) << error.message();
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, BadTemplates,
                         ::testing::Values("{{.ID", "{{", "{{}}", "{{.Missing}}", "{{.ID.More}}",
                                           "{{nothing .ID}}", "{{if .ID}}", "{{end}}", "{{else}}",
                                           "{{range .Args}}{{else}}", "{{\"open}}", "{{.ID | }}",
                                           "{{(.ID}}", "{{.ID .Names}}", "{{json}}", "{{$unknown}}",
                                           "{{index .Args 2}}", "{{index .Args -1}}",
                                           "{{split .ID \"\"}}", "{{printf \"%x\" 1}}",
                                           "{{printf \"%s\"}}", "{{1a}}", "{{#}}"));

TEST(FormatTemplate, NamesTheFieldsThatThereAre) {
  try {
    FormatTemplate("{{.Nmes}}").render({{"Names", "web"}, {"ID", "1"}});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.hint(), "there are: .ID, .Names");
  }
}

}  // namespace
}  // namespace twinbox::cli

// The HTML report in a real browser: every chart drawn, no error, nothing fetched, at the width of
// a phone and of a desktop.
#include <gtest/gtest.h>

#include <string>

#include "base/command.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "compare/report/html.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

// Put first into the page: keeps what goes wrong in it.
constexpr const char* watcher =
    "<script>window.mistakes = [];"
    "addEventListener('error', (event) => mistakes.push(event.message));"
    "addEventListener('securitypolicyviolation', (event) => mistakes.push(event.blockedURI));"
    "</script>";

// Runs beside the page, in the document around it.
constexpr const char* inspector = R"(
  frame.onload = () => {
    const page = frame.contentDocument;
    const canvases = [...page.querySelectorAll("canvas")].filter((canvas) => canvas.offsetParent);
    document.getElementById("result").textContent = JSON.stringify({
      mistakes: frame.contentWindow.mistakes,
      fetched: frame.contentWindow.performance.getEntriesByType("resource").length,
      width: frame.contentWindow.innerWidth,
      needed: page.documentElement.scrollWidth,
      charts: canvases.length,
      drawn: canvases.filter((canvas) => canvas.dataset.drawn === "true").length,
      described: canvases.filter((canvas) => canvas.getAttribute("aria-label")).length,
      tables: page.querySelectorAll("table tbody tr").length > 20,
      scrollers: [...page.querySelectorAll(".table, pre")].every((node) => node.tabIndex === 0),
      title: page.querySelector("h1").textContent,
    });
  };
)";

std::string attribute_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// A browser's window cannot be as narrow as a phone's; a frame can.
std::string framed(std::string page, int width) {
  page.insert(page.find("<head>") + 6, watcher);
  return "<!doctype html><pre id=\"result\"></pre><iframe id=\"frame\" style=\"width:" +
         std::to_string(width) + "px;height:4000px;border:0\"></iframe><script>" + inspector +
         "</script><template id=\"page\" data-page=\"" + attribute_text(page) +
         "\"></template><script>frame.srcdoc = page.dataset.page;</script>";
}

class Browser {
 public:
  base::CommandResult dump(const std::string& html) const {
    const auto file = directory_.path() / "page.html";
    base::write_file(file, html);
    const auto profile = (directory_.path() / "profile").string();
    return base::run_command({"chromium", "--headless", "--no-sandbox", "--disable-gpu",
                              "--disable-dev-shm-usage", "--user-data-dir=" + profile,
                              "--disable-background-networking", "--no-first-run", "--disable-sync",
                              "--disable-component-update", "--disable-quic",
                              "--enable-logging=stderr", "--dump-dom", "file://" + file.string()});
  }

 private:
  base::TemporaryDirectory directory_;
};

class Page : public ::testing::TestWithParam<int> {
 protected:
  void inspect(const std::string& page) {
    const auto dump = Browser().dump(framed(page, GetParam()));
    if (dump.status == 127) GTEST_SKIP() << "the package chromium is not installed";
    const std::string open = "<pre id=\"result\">";
    const auto begin = dump.out.find(open);
    ASSERT_NE(begin, std::string::npos) << dump.err;
    const auto end = dump.out.find("</pre>", begin);
    seen_ = base::parse_json(dump.out.substr(begin + open.size(), end - begin - open.size()),
                             "what the browser shows");
    EXPECT_EQ(dump.err.find(":CONSOLE"), std::string::npos) << dump.err;
  }

  base::Json seen_;
};

TEST_P(Page, IsDrawnWholeWithoutAnErrorOrARequest) {
  inspect(render_html(sample_result()));
  if (IsSkipped()) return;
  EXPECT_EQ(seen_["mistakes"], base::Json::array());
  EXPECT_EQ(seen_["fetched"], 0);
  EXPECT_EQ(seen_["charts"], 6);
  EXPECT_EQ(seen_["drawn"], 6);
  EXPECT_EQ(seen_["described"], 6);
  EXPECT_EQ(seen_["tables"], true);
  EXPECT_EQ(seen_["scrollers"], true);
  EXPECT_EQ(seen_["title"], "One workload, three kinds of box");
}

TEST_P(Page, FitsItsWidth) {
  inspect(render_html(sample_result()));
  if (IsSkipped()) return;
  EXPECT_EQ(seen_["width"], GetParam());
  EXPECT_LE(seen_["needed"].get<int>(), GetParam());
}

TEST_P(Page, IsDrawnWhenAnEngineIsMissing) {
  auto result = sample_result();
  std::erase_if(result.starts, [](const StartSample& sample) { return sample.engine == "vm"; });
  std::erase_if(result.memory, [](const InstanceMemory& memory) { return memory.engine == "vm"; });
  std::erase_if(result.density, [](const DensitySeries& series) { return series.engine == "vm"; });
  result.failures.push_back({"vm", "start-up", "there is no /dev/kvm"});
  inspect(render_html(result));
  if (IsSkipped()) return;
  EXPECT_EQ(seen_["mistakes"], base::Json::array());
  EXPECT_EQ(seen_["drawn"], seen_["charts"]);
  EXPECT_EQ(seen_["title"], "One workload, two kinds of box");
}

TEST_P(Page, IsNotBrokenByAResultWithoutSamples) {
  inspect(render_html(Result()));
  if (IsSkipped()) return;
  EXPECT_EQ(seen_["mistakes"], base::Json::array());
}

INSTANTIATE_TEST_SUITE_P(Widths, Page, ::testing::Values(375, 1440),
                         [](const auto& width) { return std::to_string(width.param) + "px"; });

}  // namespace
}  // namespace twinbox::compare

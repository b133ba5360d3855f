// Reading allocation sites, and what is made of them.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tools/cli/report_reader.h"
#include "tools/cli/sites_export.h"
#include "tools/cli/sites_reader.h"
#include "tools/cli/sites_text.h"

namespace tarn::cli {
namespace {

const std::string head =
    "tarn-sites 1\npid 7\nprogram python3\npython 3.11.2\nrate 4096\nframes 64\nsamples 12\n"
    "not_followed 0\n";
const std::string stackless = "site 0 0 0 0 0 0 0 0\nsite 0 0 0 0 0 0 0 0\n";

std::string problem_of(const std::string& text) {
  try {
    static_cast<void>(read_sites(text));
  } catch (const BadReport& bad) {
    return bad.what();
  }
  return "none";
}

SitesReport sample() {
  return read_sites(head +
                    "string =login\nstring =/srv/app.py\nstring =<script>alert('&')</script>\n"
                    "string =a\\x20b\\xff\\x1b\\xe2\\x80\\xae\nframe 0 1 88\nframe 2 1 40\n"
                    "frame 3 3 1\n" +
                    stackless +
                    "site 600 7 10 1200 14 2 1 0 0 1\nsite 100 1 0 300 3 1 1 1 0 2\n"
                    "site 0 0 0 5000 9 3 0 0 2\nend\n");
}

TEST(Sites, AreReadWithTheirStacks) {
  const SitesReport report = sample();
  ASSERT_EQ(report.sites.size(), 5U);
  const AllocationSite& site = report.sites[2];
  EXPECT_EQ(site.live_bytes, 600U);
  EXPECT_EQ(site.allocated_blocks, 14U);
  ASSERT_EQ(site.frames.size(), 2U);
  EXPECT_EQ(frame_text(report.frames[site.frames[0]]), "login /srv/app.py:88");
  EXPECT_TRUE(report.sites[3].is_cut);
  EXPECT_EQ(report.frames[2].function, "a b\xff\x1b\xe2\x80\xae");
}

TEST(Sites, WhatIsNoSuchTextIsRefusedWithItsLine) {
  EXPECT_EQ(problem_of(""), "line 1: not 'tarn-sites 1' but ''");
  EXPECT_EQ(problem_of(head), "incomplete: the process ended while writing it");
  EXPECT_EQ(problem_of(head + "end\n"), "the first two sites are missing");
  EXPECT_EQ(problem_of("tarn-sites 1\npid 1\nsamples 1\nend\n"), "rate is missing");
  EXPECT_EQ(problem_of(head + "pid 8\nend\n"), "line 9: pid occurs twice");
  EXPECT_EQ(problem_of(head + "frame 0 0 1\n"), "line 9: a frame names a string that isn't there");
  EXPECT_EQ(problem_of(head + "site 1 1 1 1 1 1 1 0 0\n"),
            "line 9: a site names a frame that isn't there");
  EXPECT_EQ(problem_of(head + "site 1 1 1\n"), "line 9: '' is not a number");
  EXPECT_EQ(problem_of(head + "site -1 1 1\n"), "line 9: '-1' is not a number");
  EXPECT_EQ(problem_of(head + "site 9007199254740992 1 1 1 1 1 1 0\n"),
            "line 9: more bytes than there are addresses");
  EXPECT_EQ(problem_of(head + "string =\\x4\n"), "line 9: a backslash without xNN behind it");
  EXPECT_EQ(problem_of(head + "string =" + std::string(1025, 'x') + "\n"),
            "line 9: a string longer than 1024 bytes");
  EXPECT_EQ(problem_of(head + "string =\t\n"), "line 9: a byte that isn't printable");
  EXPECT_EQ(problem_of(head + stackless + "end\nend\n"), "line 12: something stands behind 'end'");
}

TEST(Sites, TextHasARowForEachLineTheLargestFirst) {
  const std::string text = sites_text(sample(), {}, Style(false));
  const std::size_t login = text.find("login /srv/app.py:88");
  ASSERT_NE(login, std::string::npos);
  EXPECT_NE(text.find("700 B", login), std::string::npos);
  // The third has nothing that lives.
  EXPECT_EQ(text.find("a b"), std::string::npos);
  const std::string churn = sites_text(sample(), {SiteMeasure::allocated, 1, true}, Style(false));
  EXPECT_NE(churn.find("a b\\xff"), std::string::npos) << churn;
  EXPECT_NE(churn.find("2 more"), std::string::npos) << churn;
}

TEST(Sites, JsonHasEverySiteWithItsStack) {
  const auto json = sites_json(sample(), SiteMeasure::allocated);
  ASSERT_EQ(json["sites"].size(), 3U);
  EXPECT_EQ(json["sites"][0]["allocated_bytes"], 5000);
  EXPECT_EQ(json["sites"][1]["stack"][0]["line"], 88);
}

TEST(Sites, AFlameGraphEscapesWhatAProgramNames) {
  const std::string svg = sites_flame(sample(), SiteMeasure::live);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;alert(&#39;&amp;&#39;)"), std::string::npos);
  EXPECT_EQ(svg.find('\x1b'), std::string::npos);
  EXPECT_EQ(svg.find("\u202e"), std::string::npos);
  EXPECT_NE(svg.find("\\xff\\x1b\\xe2\\x80\\xae"), std::string::npos);
}

TEST(Sites, SpeedscopeGetsTheOutermostFrameFirst) {
  const auto json = nlohmann::json::parse(sites_speedscope(sample()));
  EXPECT_EQ(json["profiles"][0]["samples"][0], (nlohmann::json::array_t{1, 0}));
  EXPECT_EQ(json["profiles"][0]["weights"], (nlohmann::json::array_t{600, 100}));
  EXPECT_EQ(json["profiles"][1]["endValue"], 6500);
}

TEST(Sites, CleanTextIsUtf8WithoutControls) {
  EXPECT_EQ(clean_utf8("größe 名前"), "größe 名前");
  EXPECT_EQ(clean_utf8("\xc3"), "\\xc3");
  EXPECT_EQ(clean_utf8("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(clean_utf8("\xc0\x80"), "\\xc0\\x80");
  EXPECT_EQ(clean_utf8("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(clean_utf8("a\nb"), "a\\x0ab");
  EXPECT_EQ(clean_utf8("\xc2\x85"), "\\xc2\\x85");
}

}  // namespace
}  // namespace tarn::cli

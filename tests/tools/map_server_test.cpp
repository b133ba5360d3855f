#include "tools/cli/map_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tarn::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Address address = {4711, "0123456789abcdef0123456789abcdef"};

struct Server {
  std::vector<std::string> asked;

  std::string answer(const std::string& request) {
    return answer_request(request, address, [this](std::string_view what) -> Answer {
      asked.emplace_back(what);
      return {200, "text/html; charset=utf-8", "the page", ""};
    });
  }
  std::string get(const std::string& path, const std::string& more = "",
                  const std::string& host = "127.0.0.1:4711") {
    return answer("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n");
  }
};

TEST(MapServer, GivesThePageToWhomItsAddressIsKnown) {
  Server server;
  const std::string answer = server.get("/0123456789abcdef0123456789abcdef/");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-store\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Frame-Options: DENY\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 8\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nthe page"));
  EXPECT_EQ(server.asked, std::vector<std::string>{""});
}

TEST(MapServer, TellsNothingWithoutTheToken) {
  Server server;
  for (const char* path :
       {"/", "/favicon.ico", "/0123456789abcdef0123456789abcdef",
        "/0123456789abcdef0123456789abcdee/", "/0123456789abcdef0123456789abcde/",
        "/0123456789abcdef0123456789abcdeff/", "//", "*", "/x/0123456789abcdef0123456789abcdef/",
        "http://127.0.0.1:4711/"}) {
    EXPECT_THAT(server.get(path), StartsWith("HTTP/1.1 404 Not Found\r\n")) << path;
  }
  EXPECT_TRUE(server.asked.empty());
}

TEST(MapServer, RefusesAHostThatWasMadeToLeadHere) {
  Server server;
  for (const char* host : {"evil.example:4711", "localhost:4711", "127.0.0.1", "127.0.0.1:4712", "",
                           "127.0.0.1:4711.evil.example"}) {
    EXPECT_THAT(server.get("/0123456789abcdef0123456789abcdef/", "", host),
                StartsWith("HTTP/1.1 403 Forbidden\r\n"))
        << host;
  }
  EXPECT_THAT(server.get("/0123456789abcdef0123456789abcdef/", "Host: evil.example\r\n"),
              StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(server.answer("GET /0123456789abcdef0123456789abcdef/ HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_TRUE(server.asked.empty());
}

TEST(MapServer, RefusesWhatAnotherPageAsksFor) {
  Server server;
  for (const char* site : {"cross-site", "same-site"}) {
    EXPECT_THAT(server.get("/0123456789abcdef0123456789abcdef/new",
                           std::string("Sec-Fetch-Site: ") + site + "\r\n"),
                StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  }
  EXPECT_TRUE(server.asked.empty());
  EXPECT_THAT(
      server.get("/0123456789abcdef0123456789abcdef/new", "Sec-Fetch-Site: same-origin\r\n"),
      StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(server.asked, std::vector<std::string>{"new"});
}

TEST(MapServer, KnowsGetAlone) {
  Server server;
  for (const char* method : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS"}) {
    EXPECT_THAT(server.answer(
                    std::string(method) +
                    " /0123456789abcdef0123456789abcdef/ HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n"),
                StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  }
  EXPECT_TRUE(server.asked.empty());
}

TEST(MapServer, AnswersNothingToWhatIsNoRequest) {
  Server server;
  for (const std::string& bytes :
       {std::string(), std::string("GET"),
        std::string("GET / HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01", 6), std::string(100'000, 'a'),
        "GET / HTTP/1.1\r\n" + std::string(100'000, 'a') + "\r\n\r\n"}) {
    EXPECT_EQ(server.answer(bytes), "");
  }
  EXPECT_TRUE(server.asked.empty());
}

TEST(MapServer, MakesATokenOf128BitsThatIsNeverTheSame) {
  const std::string token = make_token();
  EXPECT_THAT(token, testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_NE(token, make_token());
}

TEST(MapServer, AnAddressIsThatOfThisMachine) {
  EXPECT_EQ(address.url(), "http://127.0.0.1:4711/0123456789abcdef0123456789abcdef/");
  EXPECT_THAT(address.url(), Not(HasSubstr("localhost")));
}

}  // namespace
}  // namespace tarn::cli

#include "download/response_head.h"

#include <gtest/gtest.h>

#include <vector>

namespace earmark {
namespace {

ResponseHead head(const std::vector<std::string>& lines) {
  ResponseHead out;
  for (const std::string& line : lines) out.read_line(line + "\r\n");
  return out;
}

TEST(ResponseHead, AWholeAnswerHasItsLengthAsTotal) {
  const ResponseHead h =
      head({"HTTP/1.1 200 OK", "content-LENGTH:  17 ", "ETag: \"x\"", "Last-Modified: yesterday"});
  EXPECT_EQ(h.status, 200);
  EXPECT_EQ(h.total(), 17U);
  EXPECT_EQ(h.validator(), "\"x\"");
}

TEST(ResponseHead, ARangeHasTheTotalOfTheFile) {
  const ResponseHead h = head({"HTTP/2 206", "Content-Length: 5", "Content-Range: bytes 12-16/17"});
  EXPECT_EQ(h.range_begin, 12U);
  EXPECT_EQ(h.total(), 17U);
  EXPECT_EQ(head({"HTTP/1.1 416 No", "Content-Range: bytes */17"}).total(), 17U);
  EXPECT_FALSE(head({"HTTP/1.1 206 Part", "Content-Range: bytes 12-16/*"}).total());
}

// RFC 9110, 13.1.5: a weak validator must not be used in If-Range.
TEST(ResponseHead, AWeakTagIsNoValidator) {
  EXPECT_EQ(head({"HTTP/1.1 200 OK", "ETag: W/\"x\"", "Last-Modified: Tue"}).validator(), "Tue");
  EXPECT_EQ(head({"HTTP/1.1 200 OK", "ETag: W/\"x\""}).validator(), "");
}

TEST(ResponseHead, AFollowedRedirectionLeavesNothingBehind) {
  const ResponseHead h =
      head({"HTTP/1.1 302 Found", "Content-Length: 5", "ETag: \"old\"", "", "HTTP/1.1 200 OK"});
  EXPECT_EQ(h.status, 200);
  EXPECT_FALSE(h.length);
  EXPECT_EQ(h.validator(), "");
}

// MD5 of nothing: d41d8cd98f00b204e9800998ecf8427e, in Base64 1B2M2Y8AsgTpgAmY7PhCfg==.
TEST(ResponseHead, AServersChecksumReadsInEachOfItsForms) {
  const std::string md5 = "d41d8cd98f00b204e9800998ecf8427e";
  EXPECT_EQ(head({"HTTP/1.1 200 OK", "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg=="}).md5, md5);
  EXPECT_EQ(head({"HTTP/1.1 200 OK", "Content-MD5: D41D8CD98F00B204E9800998ECF8427E"}).md5, md5);
  EXPECT_EQ(head({"HTTP/1.1 200 OK", "ETag: \"md5:" + md5 + "\""}).md5, md5);
  EXPECT_FALSE(head({"HTTP/1.1 200 OK", "ETag: \"" + md5 + "\""}).md5);  // may be anything
  EXPECT_FALSE(head({"HTTP/1.1 200 OK", "Content-MD5: 1B2M2Y8AsgTpgAmY7PhC!g=="}).md5);
}

TEST(ResponseHead, NumbersThatAreNoneCountAsNotGiven) {
  for (const char* number : {"-1", "1x", "", "99999999999999999999999", "0x10"})
    EXPECT_FALSE(head({"HTTP/1.1 200 OK", std::string("Content-Length: ") + number}).length) << number;
  const ResponseHead h =
      head({"HTTP/1.1 206", "Content-Range: bytes", "Content-Range: bytes 1", "HTTP/1.1", ":", "x"});
  EXPECT_FALSE(h.total());
  EXPECT_EQ(head({"HTTP/1.1 503 Busy", "Retry-After: 7"}).retry_after_s, 7.0);
  EXPECT_FALSE(head({"HTTP/1.1 503 Busy", "Retry-After: Fri, 31 Dec 2027 23:59:59 GMT"}).retry_after_s);
}

}  // namespace
}  // namespace earmark

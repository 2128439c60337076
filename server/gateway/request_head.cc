#include "gateway/request_head.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "gateway/http_token.h"

namespace wsrouter {
namespace {

constexpr size_t kMethodBytesMax = 32;
constexpr std::string_view kVersionForm = "HTTP/0.0\r";  // 0 stands for a digit

bool IsVisible(unsigned char octet) { return octet > 0x20 && octet < 0x7F; }

// Tab, space, visible octets, and those above ASCII (RFC 9110 section 5.5).
bool IsFieldValueOctet(unsigned char octet) {
  return octet == '\t' || (octet >= 0x20 && octet != 0x7F);
}

bool IsOws(unsigned char octet) { return octet == ' ' || octet == '\t'; }

bool IsRegisteredNameOctet(unsigned char octet) {
  return absl::ascii_isalnum(octet) ||
         std::string_view("-._~!$&'()*+,;=%").find(static_cast<char>(octet)) !=
             std::string_view::npos;
}

bool IsAddressOctet(unsigned char octet) {
  return absl::ascii_isxdigit(octet) || octet == ':' || octet == '.';
}

// uri-host [ ":" port ] (RFC 9110 section 7.2) with a host that is not empty, as all schemes here
// want it, and without user information (section 4.2.4).
bool IsAuthority(std::string_view text) {
  std::string_view host;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!std::all_of(host.begin(), host.end(), IsAddressOctet)) return false;
  } else {
    host = text.substr(0, text.find(':'));
    text.remove_prefix(host.size());
    if (!std::all_of(host.begin(), host.end(), IsRegisteredNameOctet)) return false;
  }
  if (host.empty()) return false;
  if (text.empty()) return true;
  return text.front() == ':' && std::all_of(text.begin() + 1, text.end(), absl::ascii_isdigit);
}

bool IsKnownScheme(std::string_view scheme) {
  constexpr std::array<std::string_view, 4> kSchemes = {"http", "https", "ws", "wss"};
  return std::any_of(kSchemes.begin(), kSchemes.end(), [scheme](std::string_view known) {
    return EqualsIgnoringCase(scheme, known);
  });
}

}  // namespace

std::vector<std::string_view> RequestHead::Values(std::string_view lower_case_name) const {
  std::vector<std::string_view> values;
  for (const RequestHeader& header : headers) {
    if (header.name == lower_case_name) values.push_back(header.value);
  }
  return values;
}

RequestHeadParser::State RequestHeadParser::Feed(std::string_view& input) {
  size_t taken = 0;
  while (state_ == State::kNeedMore && taken < input.size()) {
    Step(static_cast<unsigned char>(input[taken++]));
    if (++octets_ == kRequestHeadBytesMax && state_ == State::kNeedMore) {
      Refuse(431, "the request head is longer than 8192 octets");
    }
  }
  input.remove_prefix(taken);
  return state_;
}

void RequestHeadParser::Step(unsigned char octet) {
  switch (phase_) {
    case Phase::kStart:
      return StepStart(octet);
    case Phase::kMethod:
      return StepMethod(octet);
    case Phase::kTarget:
      return StepTarget(octet);
    case Phase::kVersion:
      return StepVersion(octet);
    case Phase::kLineStart:
      return StepLineStart(octet);
    case Phase::kName:
      return StepName(octet);
    case Phase::kValue:
      return StepValue(octet);
    case Phase::kEmptyLineEnd:
    case Phase::kLineEnd:
    case Phase::kHeadEnd:
      return StepLineEnd(octet);
  }
}

// One empty line before the request line is passed over (RFC 9112 section 2.2).
void RequestHeadParser::StepStart(unsigned char octet) {
  if (octet == '\r' && !empty_line_seen_) {
    empty_line_seen_ = true;
    phase_ = Phase::kEmptyLineEnd;
    return;
  }
  phase_ = Phase::kMethod;
  StepMethod(octet);
}

void RequestHeadParser::StepMethod(unsigned char octet) {
  if (octet == ' ' && !head_.method.empty()) {
    phase_ = Phase::kTarget;
    return;
  }
  if (!IsTokenOctet(octet)) return Refuse(400, "not an HTTP request");
  if (head_.method.size() == kMethodBytesMax) return Refuse(501, "the method is not known");
  head_.method.push_back(static_cast<char>(octet));
}

// Browsers leave octets such as '|' and '{' in queries although RFC 3986 does not know them there;
// only a fragment is refused, which is never sent.
void RequestHeadParser::StepTarget(unsigned char octet) {
  if (octet == ' ' && !head_.target.empty()) {
    phase_ = Phase::kVersion;
    return;
  }
  if (!IsVisible(octet) || octet == '#') return Refuse(400, "the request target is malformed");
  head_.target.push_back(static_cast<char>(octet));
}

void RequestHeadParser::StepVersion(unsigned char octet) {
  const char wanted = kVersionForm[version_.size()];
  if (wanted == '0' ? !absl::ascii_isdigit(octet) : octet != wanted) {
    return Refuse(400, "the request line is malformed");
  }
  if (octet == '\r') return EndRequestLine();
  version_.push_back(static_cast<char>(octet));
}

void RequestHeadParser::EndRequestLine() {
  if (version_ != "HTTP/1.1") return Refuse(505, "only HTTP/1.1 is spoken here");
  SplitTarget();
  phase_ = Phase::kLineEnd;
}

void RequestHeadParser::SplitTarget() {
  std::string_view rest = head_.target;
  if (!rest.starts_with('/')) {
    const size_t scheme_size = rest.find("://");
    if (scheme_size == std::string_view::npos || !IsKnownScheme(rest.substr(0, scheme_size))) {
      return Refuse(400, "the request target is neither a path nor an absolute URI");
    }
    rest.remove_prefix(scheme_size + 3);
    head_.host = rest.substr(0, rest.find_first_of("/?"));
    if (!IsAuthority(head_.host)) return Refuse(400, "the authority of the target is malformed");
    rest.remove_prefix(head_.host.size());
  }
  const size_t path_size = std::min(rest.find('?'), rest.size());
  head_.path = path_size == 0 ? "/" : rest.substr(0, path_size);
  if (path_size < rest.size()) head_.query = rest.substr(path_size + 1);
}

// White space here would fold the line before: it is no token, hence refused as a name.
void RequestHeadParser::StepLineStart(unsigned char octet) {
  if (octet == '\r') {
    phase_ = Phase::kHeadEnd;
    return;
  }
  if (octet == ':') return Refuse(400, "a header has no name");
  if (head_.headers.size() == kRequestHeadersMax) return Refuse(431, "more than 100 headers");
  head_.headers.emplace_back();
  phase_ = Phase::kName;
  StepName(octet);
}

void RequestHeadParser::StepName(unsigned char octet) {
  if (octet == ':') {
    phase_ = Phase::kValue;
    return;
  }
  if (octet == '\r') return Refuse(400, "a header has no colon");
  if (!IsTokenOctet(octet)) return Refuse(400, "a header name is not a token");
  head_.headers.back().name.push_back(absl::ascii_tolower(octet));
}

void RequestHeadParser::StepValue(unsigned char octet) {
  std::string& value = head_.headers.back().value;
  if (octet == '\r') {
    value.resize(TrimOws(value).size());
    phase_ = Phase::kLineEnd;
    return;
  }
  if (!IsFieldValueOctet(octet)) return Refuse(400, "a header value has a control character");
  if (value.empty() && IsOws(octet)) return;
  value.push_back(static_cast<char>(octet));
}

void RequestHeadParser::StepLineEnd(unsigned char octet) {
  if (octet != '\n') return Refuse(400, "a carriage return without a line feed");
  if (phase_ == Phase::kHeadEnd) return EndHead();
  phase_ = phase_ == Phase::kEmptyLineEnd ? Phase::kStart : Phase::kLineStart;
}

// RFC 9112 section 3.2: exactly one Host, even beside an absolute target.
void RequestHeadParser::EndHead() {
  const std::vector<std::string_view> hosts = head_.Values("host");
  if (hosts.size() != 1) return Refuse(400, "the request wants exactly one Host");
  if (!IsAuthority(hosts.front())) return Refuse(400, "Host is malformed");
  if (head_.host.empty()) head_.host = hosts.front();
  state_ = State::kComplete;
}

void RequestHeadParser::Refuse(int status, std::string_view reason) {
  state_ = State::kRefused;
  refusal_status_ = status;
  refusal_reason_ = reason;
  head_ = RequestHead();
}

}  // namespace wsrouter

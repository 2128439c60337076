#include "config_rules.h"

#include <fmt/format.h>

#include <string_view>

#include "absl/strings/match.h"
#include "config_format.h"
#include "config_number.h"
#include "config_value.h"

namespace wsrouter {
namespace {

absl::Status Refuse(std::string_view key, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", key, what));
}

absl::Status CheckGateway(const v1::GatewayConfig& gateway) {
  if (gateway.echo_path() == gateway.path()) {
    return Refuse("gateway.echo_path", "must differ from gateway.path");
  }
  for (const std::string& header : gateway.event_headers()) {
    if (absl::EqualsIgnoreCase(header, "cookie")) {
      return Refuse("gateway.event_headers",
                    "must not have cookie; gateway.event_cookies shows single cookies");
    }
  }
  if (gateway.tls().cert_file().empty() != gateway.tls().key_file().empty()) {
    const bool cert = gateway.tls().cert_file().empty();
    return Refuse(cert ? "gateway.tls.cert_file" : "gateway.tls.key_file",
                  cert ? "must be set when gateway.tls.key_file is"
                       : "must be set when gateway.tls.cert_file is");
  }
  return absl::OkStatus();
}

absl::Status CheckControl(const v1::ControlConfig& control) {
  const std::optional<ConfigAddress> address = ParseConfigAddress(control.listen());
  if (address && !address->loopback && !control.insecure_control()) {
    return Refuse("control.listen",
                  fmt::format("{} is not loopback and nothing protects it; wanted a loopback "
                              "address, or control.insecure_control: true",
                              control.listen()));
  }
  return absl::OkStatus();
}

absl::Status CheckSizes(const v1::LimitsConfig& limits, const v1::ControlConfig& control) {
  const auto size = [](uint64_t octets) { return FormatConfigNumber(octets, true); };
  if (limits.payload_bytes_max() >= control.message_bytes_max()) {
    return Refuse("limits.payload_bytes_max",
                  fmt::format("must be smaller than control.message_bytes_max, {}, got {}",
                              size(control.message_bytes_max()), size(limits.payload_bytes_max())));
  }
  if (limits.slow_consumer_bytes() <= limits.payload_bytes_max()) {
    return Refuse(
        "limits.slow_consumer_bytes",
        fmt::format("must be larger than limits.payload_bytes_max, {}, got {}",
                    size(limits.payload_bytes_max()), size(limits.slow_consumer_bytes())));
  }
  return absl::OkStatus();
}

absl::Status CheckDrain(const v1::DrainConfig& drain) {
  const absl::Duration least = ToDuration(drain.notice()) + ToDuration(drain.window());
  if (ToDuration(drain.deadline()) < least) {
    return Refuse("drain.deadline",
                  fmt::format("must be at least drain.notice and drain.window together, {}, got {}",
                              FormatConfigDuration(least),
                              FormatConfigDuration(ToDuration(drain.deadline()))));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckConfigRules(const v1::Config& config) {
  for (const absl::Status& status :
       {CheckGateway(config.gateway()), CheckControl(config.control()),
        CheckSizes(config.limits(), config.control()), CheckDrain(config.drain())}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace wsrouter

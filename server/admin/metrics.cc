#include "admin/metrics.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "admin/control_metrics.h"
#include "admin/metric_family.h"
#include "admin/process_metrics.h"
#include "base/log.h"
#include "fmt/format.h"
#include "prometheus/text_serializer.h"

namespace wsrouter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// In the order of Counter.
constexpr std::array<std::string_view, static_cast<size_t>(Counter::kCount)> kCounterHelp = {
    "Connections that a service made a client's.",
    "Ownerships that ended.",
    "Pushes to a client.",
    "Pushes to a client whom nobody holds.",
    "Memberships that began: a connection in a room.",
    "Memberships that ended.",
    "Pushes to rooms.",
    "Frames put into the outbox of a connection.",
    "Deliveries lost for another cause than a slow consumer or a closing connection.",
    "Deliveries lost because the outbox of the connection was full.",
    "Deliveries lost because the connection was closing.",
    "Ownerships refused because the cluster holds owner_capacity connections.",
    "Joins refused because the cluster holds room_members_capacity memberships.",
    "Pushes refused by the rate limit of a room.",
    "Pushes refused by the rate limit of a client.",
    "Envelopes of other nodes dropped because their signature was wrong.",
    "WebSocket connections opened.",
    "WebSocket connections closed.",
    "Upgrade requests refused with an HTTP status.",
    "TCP connections closed before an upgrade because there were too many.",
    "Times that accepting paused for want of descriptors.",
    "Messages received from clients.",
    "Messages received from clients while no service watched.",
    "Octets received from clients.",
    "Octets sent to clients.",
    "System calls that wrote frames.",
    "Connections closed because the client broke the protocol.",
    "Connections closed because nobody owned them in time.",
    "Connections closed because their ownership expired.",
    "Connections closed because they read too slowly.",
    "Connections closed because nothing came back after a Ping.",
    "Envelopes that found the mailbox of a shard full.",
    "Messages of other nodes that could not be understood, or were not for this node.",
    "Messages of other nodes that came a second time, or behind what was sent later.",
    "Times that rows of this node were missing in the directory, and written again.",
    "Events that a watcher was too slow for.",
    "Calls of the control port denied for want of a credential or a role.",
    "Questions that a backend did not answer, or not well.",
    "Ends of connections that a backend could not be told.",
    "Effects that a backend asked for and that failed.",
    "Connections closed because they sent too many frames.",
    "TCP connections refused because the node has as many as it may.",
    "TCP connections refused because their address has as many as it may.",
    "TCP connections refused because their address comes too often.",
    "TCP connections refused because a shard took no more for the moment.",
    "Times that accepting paused because too many requests were under way.",
    "Connections cut because they were slow with their request while others waited for its place.",
    "Upgrades answered with 503 because the process has too much memory.",
    "Upgrades answered with 503 because their shard is late.",
    "Upgrades answered with 503 because too many came in a second.",
    "Joins that clients asked for and may not have.",
    "Frames of wsrouter.v1.json that were not in order.",
    "Frames that were queued and made room for newer ones (drop_old, conflate).",
    "Frames that were queued and whose place a newer one with their key took.",
    "Connections closed because a frame waited longer than outbox_age_max.",
    "Connections closed because all outboxes together were over outbox_budget.",
    "Times that a client was told of frames that it has lost.",
    "Pushes put into the history of their room.",
    "Pushes not sent because one with their idempotency key was.",
    "Pushes not sent because their room has had a newer version.",
    "Times that a room lost history early, for want of memory.",
    "Entries of the event log that this node handed to consumers.",
    "Entries that were handed out again, since they had not been settled.",
    "Entries that became dead letters: handed out too often.",
    "Entries that went before their group had them: it was too slow.",
    "SLOW entries that could not be appended to the event log.",
    "Clients that came back to their sessions.",
    "Tokens of clients that no session was there for (any more), or of another path.",
    "Tokens of clients whose sessions could not be looked up.",
    "Connections without a socket that ended early, since too many wait for their clients.",
    "Frames for clients whose connection broke off and who may come back: they are not kept.",
    "Replies of services to clients that waited for none, have gone, or got an error instead.",
    "Replies of services that are longer as JSON than an outbox may hold.",
    "Frames put into an outbox from the history of their room.",
    "Frames that were not queued when they came: their client is catching up with the room.",
    "Frames lost to clients that were catching up with their room.",
    "Times that history no longer had what a client asked for.",
    "Times that history could not be read for a client.",
    "Rooms of clients that came back and did not ask for what they had missed in time.",
    "Frames that told clients who is in a room.",
    "Such frames that were not sent to who had not read the last one; the next says all of it.",
    "Looks at a room, for its presence, that the directory did not answer.",
};

// One figure for each port that speaks TLS; no family where none does.
void AddCertificateExpiry(const Stats& stats, std::vector<MetricFamily>& families) {
  MetricFamily family{.name = "wsrouter_certificate_expiry_seconds",
                      .help = "When the certificate that a port shows ends, in seconds since 1970.",
                      .type = MetricType::Gauge,
                      .metric = {}};
  for (size_t i = 0; i < kListeningPortNames.size(); ++i) {
    const auto expires_at = stats.CertificateExpiry(static_cast<ListeningPort>(i));
    if (!expires_at) continue;
    ClientMetric& metric = family.metric.emplace_back();
    metric.gauge.value = static_cast<double>(absl::ToUnixSeconds(*expires_at));
    metric.label = {{.name = "port", .value = std::string(kListeningPortNames[i])}};
  }
  if (!family.metric.empty()) families.push_back(std::move(family));
}

// In the order of Measure: the name without its prefix, and the help.
struct MeasureText {
  std::string_view name;
  std::string_view help;
};
constexpr std::array<MeasureText, static_cast<size_t>(Measure::kCount)> kMeasureTexts = {{
    {"delivery_seconds",
     "From a push's arrival at a shard to the end of the turn that wrote it, once a delivery; "
     "what waits for a slow client is not in it."},
    {"fan_out_connections", "Connections of one shard that a push was queued for."},
    {"ping_seconds", "From a Ping to its Pong."},
    {"loop_turn_seconds", "What the loop of a shard did between two sleeps."},
    {"redis_round_trip_seconds",
     "From a PUBLISH to its answer, of the one that proves each second that Redis lives."},
}};

void AddMeasures(const Measures& measures, std::vector<MetricFamily>& families) {
  for (size_t i = 0; i < kMeasureTexts.size(); ++i) {
    const auto measure = static_cast<Measure>(i);
    families.push_back(HistogramFamily(fmt::format("wsrouter_{}", kMeasureTexts[i].name),
                                       kMeasureTexts[i].help, BoundsOf(measure),
                                       measures.Read(measure)));
  }
}

void AddLoad(const LoopLoad& load, std::vector<MetricFamily>& families) {
  families.push_back(GaugeFamily("wsrouter_loop_lag_seconds",
                                 "The age of the oldest loop turn: large while a shard is stuck.",
                                 absl::ToDoubleSeconds(load.lag)));
  families.push_back(GaugeFamily("wsrouter_mailbox_messages",
                                 "Messages that wait in the mailboxes of all shards.",
                                 static_cast<double>(load.mailbox_messages)));
  families.push_back(GaugeFamily("wsrouter_mailbox_messages_max",
                                 "Messages that wait in the mailbox of the shard with most.",
                                 static_cast<double>(load.mailbox_messages_max)));
}

MetricFamily BuildInfo(const std::string& version) {
  ClientMetric metric;
  metric.gauge.value = 1;
  metric.label = {{.name = "version", .value = version}};
  return OneMetric("wsrouter_build_info", "Always 1; the version of the program is its label.",
                   MetricType::Gauge, std::move(metric));
}

}  // namespace

std::string MetricName(std::string_view counter_name) {
  std::string name = "wsrouter_";
  for (const char c : counter_name) {
    if (absl::ascii_isupper(c)) name += '_';
    name += absl::ascii_tolower(c);
  }
  return name.ends_with("_total") ? name : name + "_total";
}

std::vector<MetricFamily> StatsMetrics::Collect() const {
  std::vector<MetricFamily> families;
  for (size_t i = 0; i < kCounterNames.size(); ++i) {
    families.push_back(CounterFamily(MetricName(kCounterNames[i]), kCounterHelp[i],
                                     static_cast<double>(stats_.Total(static_cast<Counter>(i)))));
  }
  const Stats::Now now = stats_.Read();
  const auto gauge = [&](std::string name, std::string_view help, uint64_t value) {
    families.push_back(GaugeFamily(std::move(name), help, static_cast<double>(value)));
  };
  gauge("wsrouter_connections", "WebSocket connections that are open.", now.connections);
  gauge("wsrouter_connections_owned", "Open connections that are a client's.", now.owned);
  gauge("wsrouter_rooms", "Rooms with members; a room counts once for each shard that has some.",
        now.rooms);
  gauge("wsrouter_room_members", "Memberships: a connection in a room.", now.members);
  gauge("wsrouter_connections_unowned", "Open connections that are nobody's yet.",
        now.connections + now.parked - std::min(now.owned, now.connections + now.parked));
  gauge("wsrouter_connections_parked",
        "Connections that broke off and whose clients may still come back.", now.parked);
  gauge("wsrouter_outbox_bytes", "Octets that wait for their sockets.", now.outbox_bytes);
  gauge("wsrouter_redis_up",
        "1 while the rest of the cluster can be reached; always 1 without redis.url.",
        stats_.cluster_up() ? 1 : 0);
  families.push_back(GaugeFamily("wsrouter_start_time_seconds",
                                 "When the node started, in seconds since 1970.",
                                 absl::ToDoubleSeconds(stats_.started_at() - absl::UnixEpoch())));
  AddCertificateExpiry(stats_, families);
  families.push_back(BuildInfo(stats_.version()));
  if (load_) AddLoad(load_(), families);
  if (measures_ != nullptr) AddMeasures(*measures_, families);
  if (control_ != nullptr) AddControl(*control_, families);
  families.push_back(CounterFamily("wsrouter_log_lines_dropped_total",
                                   "Lines of the log that were not written, since nobody read.",
                                   static_cast<double>(LogLinesDropped())));
  AddProcess(stats_.started_at(), families);
  return families;
}

std::string MetricsText(const prometheus::Collectable& metrics) {
  return prometheus::TextSerializer().Serialize(metrics.Collect());
}

}  // namespace wsrouter

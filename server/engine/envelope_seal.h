#ifndef WSROUTER_ENGINE_ENVELOPE_SEAL_H_
#define WSROUTER_ENGINE_ENVELOPE_SEAL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/ids.h"
#include "engine/message_proof.h"
#include "engine/seal_key.h"
#include "engine/sender_sequences.h"

namespace wsrouter {

// What a message on a channel carries around its body, and its proof: version, key id, sender,
// sequence, time, channel and body under a full HMAC-SHA-256 (RFC 2104, FIPS 198-1) when there is a
// key. The channel is not sent: both sides know it, so a message captured on one channel is worth
// nothing on another. Octet by octet, numbers big endian:
//
//   1   version: 1
//   1   length k of the key id, 0 to 16; 0: the message carries no proof
//   k   key id
//   1   length s of the sender's server_id, 1 to 255
//   s   server_id
//   8   incarnation
//   8   sequence: 1 for the sender's first message, on whatever channel, and one more each time
//   8   time in microseconds since 1970, signed
//   *   body
//   32  proof, where k is not 0: HMAC of the channel's length (4 octets), the channel, and all of
//       the message before the proof
//
// Replays, doubles, and what comes too late: a sender's messages are let in as long as their
// sequence grows, across channels; Redis hands them on in the order in which they were sent. (When
// a replica becomes the master, copies of what was published at the old one may still reach it
// behind what was published at the new one.) With keys, messages from further than `clock_skew_max`
// in past or future are refused. At most kSendersMax senders are remembered; the one not heard of
// for longest is forgotten first. Nor does a node that was just started remember any. A message of
// a forgotten sender can be replayed once, until it is `clock_skew_max` old.
//
// Keys are changed node by node: add the new key behind the others everywhere, then put it first
// everywhere, then drop the old one. No message is lost. The first key of a cluster cannot be added
// so: a node with keys refuses what carries no proof, hence hears a node without keys only when
// that one has been given the keys, too. A node without keys hears all.
//
// One thread; one object for everything that a node sends and receives.
class EnvelopeSeal {
 public:
  static constexpr size_t kSendersMax = 4096;

  // Signs with the first key, accepts all; without keys nothing is proved.
  EnvelopeSeal(NodeIdentity self, const std::vector<SealKey>& keys, absl::Duration clock_skew_max);

  struct Opened {
    NodeIdentity sender;
    std::string_view body;  // of the message given to Open
  };
  std::string Seal(std::string_view channel, std::string_view body, absl::Time now);
  // Says what is wrong. InvalidArgument: the form. Unauthenticated: no proof, unknown key, wrong
  // proof, too old, from the future. OutOfRange: the sequence does not grow.
  absl::StatusOr<Opened> Open(std::string_view channel, std::string_view message, absl::Time now);

  // The body of a message that was kept since, whenever it was sent: neither its age nor its
  // sequence is looked at.
  absl::StatusOr<std::string_view> OpenKept(std::string_view channel, std::string_view message);

 private:
  struct Parts;

  static absl::StatusOr<Parts> TakeApart(std::string_view message);
  absl::Status CheckProof(const Parts& parts, std::string_view channel, std::string_view message);
  absl::Status CheckAge(const Parts& parts, absl::Time now) const;

  const NodeIdentity self_;
  const absl::Duration clock_skew_max_;
  std::vector<MessageProof> proofs_;  // one a key
  SenderSequences sequences_{kSendersMax};
  uint64_t last_sequence_ = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_ENVELOPE_SEAL_H_

#ifndef WSROUTER_AUTH_KEY_SOURCE_H_
#define WSROUTER_AUTH_KEY_SOURCE_H_

#include <memory>
#include <string_view>

#include "auth/key_set.h"

namespace wsrouter {

// Where a verifier gets the keys of an issuer. Both are called by any thread, shards among them, so
// they return at once: what takes time goes on elsewhere, and its result is seen by a later Keys.
class KeySource {
 public:
  virtual ~KeySource() = default;

  // The set as it is now, which the caller may keep while another takes its place; null where there
  // is none yet.
  virtual std::shared_ptr<const KeySet> Keys(std::string_view issuer) = 0;

  // A token that says it is of `issuer`, which is one we configured, named a key that the set
  // lacks; `kid` is empty if there is no set. Nothing of the token has been proved, and anybody can
  // send one: how often this makes a source look for new keys is for the source to bound.
  virtual void Missed(std::string_view issuer, std::string_view kid) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_KEY_SOURCE_H_

#ifndef WSROUTER_CONTROL_ACCESS_H_
#define WSROUTER_CONTROL_ACCESS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "control/role.h"
#include "control/token_file.h"

namespace wsrouter {

// What a method asks of its caller.
enum class Need : uint8_t {
  kNothing,  // what probes call
  kRead,
  kPublish,
  kAdmin,
  kNobody,  // a method that is not in the table is for nobody
};

// Of a method as it stands in a request: "/wsrouter.v1.Router/Push".
Need NeedOf(std::string_view method);
bool Grants(Role role, Need need);
// All of the table, sorted.
std::vector<std::string> KnownMethods();

// What a caller shows.
struct Caller {
  std::vector<std::string_view> names;          // of its certificate, which has been verified
  std::vector<std::string_view> authorization;  // the values of that header
};

// Who may call what: by the name of a certificate, or by a token. Any thread.
//
// A caller who shows a token is judged by it alone. Why a credential is not taken is not said:
// none, a wrong one and one that has expired get the same answer.
class Access {
 public:
  // Without names and without tokens (null) everybody may call everything.
  Access(std::vector<NamedRole> client_names, std::shared_ptr<const TokenTable> tokens);

  // Whether anything is asked of callers.
  bool required() const { return required_; }

  // Replaces the tokens, which there must have been before.
  void SetTokens(std::shared_ptr<const TokenTable> tokens);

  absl::Status Check(std::string_view method, const Caller& caller, absl::Time now) const;

  // Under which name a caller whose call may be made is known: that of its token, or of its
  // certificate. Empty where nothing is asked of callers.
  std::string NameOf(const Caller& caller, absl::Time now) const;

 private:
  std::optional<Role> RoleOf(const Caller& caller, absl::Time now) const;

  const std::vector<NamedRole> client_names_;
  const bool required_;
  mutable absl::Mutex mutex_;  // held for a copy or a swap
  std::shared_ptr<const TokenTable> tokens_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ACCESS_H_

#include "control/access.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

const StringMap<Need>& Needs() {
  static const auto& needs = *new StringMap<Need>{
      {"/grpc.health.v1.Health/Check", Need::kNothing},
      {"/grpc.health.v1.Health/Watch", Need::kNothing},
      {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Need::kRead},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Need::kRead},
      {"/wsrouter.v1.Admin/Drain", Need::kAdmin},
      {"/wsrouter.v1.Admin/GetConfig", Need::kAdmin},
      {"/wsrouter.v1.Admin/GetLimits", Need::kRead},
      {"/wsrouter.v1.Admin/Nodes", Need::kRead},
      {"/wsrouter.v1.Admin/RunStaleServerGC", Need::kAdmin},
      {"/wsrouter.v1.Admin/SetClientRateLimit", Need::kAdmin},
      {"/wsrouter.v1.Admin/SetRoomRateLimit", Need::kAdmin},
      {"/wsrouter.v1.Admin/Stats", Need::kRead},
      {"/wsrouter.v1.Admin/Undrain", Need::kAdmin},
      {"/wsrouter.v1.Events/Attach", Need::kPublish},
      {"/wsrouter.v1.Events/Consume", Need::kPublish},
      {"/wsrouter.v1.Events/ConsumerGroups", Need::kRead},
      {"/wsrouter.v1.Events/DeadLetters", Need::kRead},
      {"/wsrouter.v1.Events/DeleteGroup", Need::kAdmin},
      {"/wsrouter.v1.Events/DropDeadLetters", Need::kPublish},
      {"/wsrouter.v1.Events/RequeueDeadLetters", Need::kPublish},
      {"/wsrouter.v1.Events/Subscribe", Need::kRead},
      {"/wsrouter.v1.Events/Watch", Need::kRead},
      {"/wsrouter.v1.Router/Broadcast", Need::kPublish},
      {"/wsrouter.v1.Router/Connections", Need::kRead},
      {"/wsrouter.v1.Router/Disconnect", Need::kPublish},
      {"/wsrouter.v1.Router/GetClient", Need::kRead},
      {"/wsrouter.v1.Router/History", Need::kRead},
      {"/wsrouter.v1.Router/IsMember", Need::kRead},
      {"/wsrouter.v1.Router/Join", Need::kPublish},
      {"/wsrouter.v1.Router/Leave", Need::kPublish},
      {"/wsrouter.v1.Router/Members", Need::kRead},
      {"/wsrouter.v1.Router/OnlineByServer", Need::kRead},
      {"/wsrouter.v1.Router/OnlineCount", Need::kRead},
      {"/wsrouter.v1.Router/Own", Need::kPublish},
      {"/wsrouter.v1.Router/Push", Need::kPublish},
      {"/wsrouter.v1.Router/PushAll", Need::kPublish},
      {"/wsrouter.v1.Router/PushStream", Need::kPublish},
      {"/wsrouter.v1.Router/Release", Need::kPublish},
      {"/wsrouter.v1.Router/RoomSize", Need::kRead},
      {"/wsrouter.v1.Router/Rooms", Need::kRead},
      {"/wsrouter.v1.Router/SendToClient", Need::kPublish},
      {"/wsrouter.v1.Router/SendToConnection", Need::kPublish},
      {"/wsrouter.v1.Router/TrimHistory", Need::kPublish},
  };
  return needs;
}

std::string_view NeededRole(Need need) {
  switch (need) {
    case Need::kRead:
      return "read";
    case Need::kPublish:
      return "publish";
    case Need::kAdmin:
      return "admin";
    default:
      return {};
  }
}

// RFC 6750 section 2.1; empty for what is no bearer token.
std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(AbslView(authorization), AbslView(kScheme))) return {};
  authorization.remove_prefix(kScheme.size());
  return authorization;
}

}  // namespace

Need NeedOf(std::string_view method) {
  const auto found = Needs().find(method);
  return found == Needs().end() ? Need::kNobody : found->second;
}

std::vector<std::string> KnownMethods() {
  std::vector<std::string> methods;
  for (const auto& [method, need] : Needs()) methods.push_back(method);
  std::ranges::sort(methods);
  return methods;
}

bool Grants(Role role, Need need) {
  switch (need) {
    case Need::kNothing:
    case Need::kRead:
      return true;
    case Need::kPublish:
      return role >= Role::kPublish;
    case Need::kAdmin:
      return role >= Role::kAdmin;
    case Need::kNobody:
      return false;
  }
  return false;
}

Access::Access(std::vector<NamedRole> client_names, std::shared_ptr<const TokenTable> tokens)
    : client_names_(std::move(client_names)),
      required_(!client_names_.empty() || tokens != nullptr),
      tokens_(std::move(tokens)) {}

void Access::SetTokens(std::shared_ptr<const TokenTable> tokens) {
  absl::MutexLock lock(&mutex_);
  tokens_.swap(tokens);
}

std::optional<Role> Access::RoleOf(const Caller& caller, absl::Time now) const {
  std::shared_ptr<const TokenTable> tokens;
  {
    absl::MutexLock lock(&mutex_);
    tokens = tokens_;
  }
  if (tokens != nullptr && !caller.authorization.empty()) {
    if (caller.authorization.size() > 1) return std::nullopt;
    return tokens->RoleOf(BearerToken(caller.authorization[0]), now);
  }
  std::optional<Role> role;
  for (const NamedRole& known : client_names_) {
    for (const std::string_view name : caller.names) {
      if (name == known.name && (!role || known.role > *role)) role = known.role;
    }
  }
  return role;
}

std::string Access::NameOf(const Caller& caller, absl::Time now) const {
  std::shared_ptr<const TokenTable> tokens;
  {
    absl::MutexLock lock(&mutex_);
    tokens = tokens_;
  }
  if (tokens != nullptr && !caller.authorization.empty()) {
    return fmt::format("token {}", tokens->NameOf(BearerToken(caller.authorization[0]), now));
  }
  for (const NamedRole& known : client_names_) {
    for (const std::string_view name : caller.names) {
      if (name == known.name) return fmt::format("certificate {}", name);
    }
  }
  return {};
}

absl::Status Access::Check(std::string_view method, const Caller& caller, absl::Time now) const {
  const Need need = NeedOf(method);
  if (!required_ || need == Need::kNothing) return absl::OkStatus();
  const std::optional<Role> role = RoleOf(caller, now);
  if (!role) {
    return Refusal(absl::StatusCode::kUnauthenticated, "UNAUTHENTICATED_CALL",
                   "the call has no credential that this node takes");
  }
  if (Grants(*role, need)) return absl::OkStatus();
  return Refusal(absl::StatusCode::kPermissionDenied, "ROLE_MISSING",
                 need == Need::kNobody
                     ? std::string("no role may call this method")
                     : fmt::format("the call needs the role {}", NeededRole(need)));
}

}  // namespace wsrouter

// Who may call: every method that the server has, found by reflection, without and with a token of
// each role. Denied calls do nothing.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/access.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "tests/support/authority.h"
#include "tests/support/control_node.h"
#include "tests/support/eventually.h"
#include "tests/support/raw_call.h"

namespace wsrouter {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using grpc::StatusCode;
using testing::Contains;
using testing::IsEmpty;

const std::string kReader = "reader-0123456789abcdef0123456789";
const std::string kPublisher = "publisher-0123456789abcdef0123456789";
const std::string kAdmin = "admin-0123456789abcdef0123456789";
const std::string kExpired = "expired-0123456789abcdef0123456789";
const std::string kTokens = "a read " + kReader + "\nb publish " + kPublisher + "\nc admin " +
                            kAdmin + "\nd admin " + kExpired + " 2001-01-01T00:00:00Z\n";
constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

std::string Bearer(const std::string& token) { return "Bearer " + token; }

std::unique_ptr<Message> New(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(type)->New());
}

std::string PathOf(const MethodDescriptor& method) {
  return fmt::format("/{}/{}", method.service()->full_name(), method.name());
}

bool IsOurs(const MethodDescriptor& method) {
  return method.service()->full_name().starts_with("wsrouter.");
}

class ControlAccessTest : public testing::Test {
 protected:
  ControlAccessTest()
      : tokens_file_(authority_.Write("tokens", kTokens)),
        node_({}, {.tokens_file = tokens_file_}) {}

  RawAnswer Ask(const std::string& method, const std::string& request,
                const std::string& authorization) {
    return RawCall(*node_.channel, method, request, authorization);
  }
  StatusCode Code(const std::string& method, const std::string& authorization) {
    return Ask(method, "", authorization).status.error_code();
  }

  // Every method of every service that the server's reflection lists.
  std::vector<const MethodDescriptor*> Methods() {
    const RawAnswer listed = Ask(kReflection, std::string("\x3A\x00", 2), Bearer(kReader));
    EXPECT_TRUE(listed.status.ok()) << listed.status.error_message();
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    const auto answer =
        New(pool.FindMessageTypeByName("grpc.reflection.v1alpha.ServerReflectionResponse"));
    EXPECT_TRUE(answer->ParseFromString(listed.octets));
    const auto* services = answer->GetDescriptor()->FindFieldByName("list_services_response");
    const Message& list = answer->GetReflection()->GetMessage(*answer, services);
    const auto* field = list.GetDescriptor()->FindFieldByName("service");
    std::vector<const MethodDescriptor*> methods;
    for (int i = 0; i < list.GetReflection()->FieldSize(list, field); ++i) {
      const Message& entry = list.GetReflection()->GetRepeatedMessage(list, field, i);
      const std::string name =
          entry.GetReflection()->GetString(entry, entry.GetDescriptor()->FindFieldByName("name"));
      const ServiceDescriptor* service = pool.FindServiceByName(name);
      if (service == nullptr) {
        ADD_FAILURE() << "no descriptor of " << name;
        continue;
      }
      for (int m = 0; m < service->method_count(); ++m) methods.push_back(service->method(m));
    }
    return methods;
  }

  // A request that would do something, where the method can.
  std::string Harmful(const MethodDescriptor& method) {
    const std::string alice = R"("client_id":"alice")";
    const std::string payload = R"("payload":{"text":"stolen"})";
    const std::string& name = method.name();
    std::string json;
    if (name == "Own") {
      json = fmt::format(R"("connection_id":"{}","client_id":"eve","rooms":["lobby"])",
                         pending_.ToString());
    } else if (name == "Join") {
      json = alice + R"(,"rooms":["vault"])";
    } else if (name == "Leave") {
      json = alice + R"(,"rooms":["lobby"])";
    } else if (name == "Release" || name == "Disconnect") {
      json = alice;
    } else if (name == "Push") {
      json = R"("room":"lobby",)" + payload;
    } else if (name == "SendToClient") {
      json = alice + "," + payload;
    } else if (name == "SendToConnection") {
      json = fmt::format(R"("connection_id":"{}",)", alice_.ToString()) + payload;
    } else if (name == "Broadcast") {
      json = R"("channel":"news",)" + payload;
    } else if (name == "PushAll") {
      json = payload;
    }
    const auto request = New(method.input_type());
    const auto parsed =
        google::protobuf::util::JsonStringToMessage("{" + json + "}", request.get());
    EXPECT_TRUE(parsed.ok()) << name << " " << parsed.ToString();
    return request->SerializeAsString();
  }

  // All that calls could change.
  std::vector<std::string> State() {
    std::vector<std::string> state = node_.shard.Got(alice_);
    for (const ConnectionId& id : {alice_, pending_}) {
      state.push_back(node_.shard.Closed(id) ? "closed" : "open");
    }
    for (size_t i = 0; i < kCounterNames.size(); ++i) {
      const auto counter = static_cast<Counter>(i);
      if (counter != Counter::kCallsDenied) {
        state.push_back(fmt::format("{} {}", kCounterNames[i], node_.stats.Total(counter)));
      }
    }
    const Stats::Now now = node_.stats.Read();
    state.push_back(fmt::format("{} {} {} {}", now.connections, now.owned, now.rooms, now.members));
    return state;
  }

  // The answer to a denied call, without a trace.
  void ExpectDenied(const MethodDescriptor& method, const std::string& authorization,
                    StatusCode code, const std::string& wanted_reason) {
    const std::vector<std::string> before = State();
    const uint64_t denied = node_.stats.Total(Counter::kCallsDenied);
    const RawAnswer answer = Ask(PathOf(method), Harmful(method), authorization);
    EXPECT_EQ(answer.status.error_code(), code) << PathOf(method) << " " << authorization;
    EXPECT_THAT(answer.octets, IsEmpty()) << PathOf(method);
    if (IsOurs(method)) {
      std::string reason;
      std::string field;
      ReadErrorInfo(answer.status, reason, field);
      EXPECT_EQ(reason, wanted_reason) << PathOf(method);
    }
    EXPECT_EQ(node_.stats.Total(Counter::kCallsDenied), denied + 1) << PathOf(method);
    EXPECT_EQ(State(), before) << PathOf(method);
  }

  void SetUp() override {
    pending_ = node_.shard.Open();
    alice_ = node_.shard.Open();
    v1::OwnRequest request;
    request.set_connection_id(alice_.ToString());
    request.set_client_id("alice");
    request.add_rooms("lobby");
    const RawAnswer owned =
        Ask("/wsrouter.v1.Router/Own", request.SerializeAsString(), Bearer(kPublisher));
    ASSERT_TRUE(owned.status.ok()) << owned.status.error_message();
  }

  Authority authority_;
  const std::string tokens_file_;
  ControlNode node_;
  ConnectionId pending_;
  ConnectionId alice_;
};

TEST_F(ControlAccessTest, EveryMethodIsInTheTable) {
  std::vector<std::string> paths;
  for (const MethodDescriptor* method : Methods()) {
    paths.push_back(PathOf(*method));
    EXPECT_NE(NeedOf(paths.back()), Need::kNobody) << paths.back();
  }
  for (const char* known : {"/wsrouter.v1.Router/Push", "/wsrouter.v1.Admin/GetConfig",
                            "/wsrouter.v1.Events/Watch", "/grpc.health.v1.Health/Check",
                            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
    EXPECT_THAT(paths, Contains(known));
  }
}

TEST_F(ControlAccessTest, EveryMethodIsDeniedWithoutAGoodCredential) {
  for (const MethodDescriptor* method : Methods()) {
    if (NeedOf(PathOf(*method)) == Need::kNothing) {
      EXPECT_NE(Code(PathOf(*method), ""), StatusCode::UNAUTHENTICATED) << PathOf(*method);
      continue;
    }
    for (const std::string& bad :
         {std::string(), Bearer("0123456789abcdef0123456789abcdef"), Bearer(kExpired), kAdmin}) {
      ExpectDenied(*method, bad, StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED_CALL");
    }
  }
}

TEST_F(ControlAccessTest, NothingTellsWhatIsWrongWithACredential) {
  for (const char* method : {"/wsrouter.v1.Router/OnlineCount", kReflection}) {
    const grpc::Status none = Ask(method, "", "").status;
    EXPECT_EQ(none.error_code(), StatusCode::UNAUTHENTICATED);
    for (const std::string& bad :
         {Bearer(kAdmin + "x"), Bearer(kExpired), std::string("Basic Og==")}) {
      const grpc::Status other = Ask(method, "", bad).status;
      EXPECT_EQ(other.error_message(), none.error_message());
      EXPECT_EQ(other.error_details(), none.error_details());
    }
  }
}

TEST_F(ControlAccessTest, EachRoleMayCallItsMethodsAndNoOthers) {
  const std::pair<std::string, Role> roles[] = {
      {kReader, Role::kRead}, {kPublisher, Role::kPublish}, {kAdmin, Role::kAdmin}};
  for (const MethodDescriptor* method : Methods()) {
    const std::string path = PathOf(*method);
    for (const auto& [token, role] : roles) {
      if (Grants(role, NeedOf(path))) {
        EXPECT_THAT(Code(path, Bearer(token)),
                    testing::AllOf(testing::Ne(StatusCode::UNAUTHENTICATED),
                                   testing::Ne(StatusCode::PERMISSION_DENIED)))
            << path << " " << token;
      } else {
        ExpectDenied(*method, Bearer(token), StatusCode::PERMISSION_DENIED, "ROLE_MISSING");
      }
    }
  }
}

TEST_F(ControlAccessTest, MethodsThatDoNotExistAreDeniedToo) {
  for (const char* path : {"/wsrouter.v1.Router/Nope", "/other.Service/Method", "/"}) {
    EXPECT_EQ(Code(path, ""), StatusCode::UNAUTHENTICATED) << path;
    EXPECT_EQ(Code(path, Bearer(kAdmin)), StatusCode::PERMISSION_DENIED) << path;
  }
  // Clients that know the newer reflection look for it first.
  EXPECT_EQ(Code("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Bearer(kReader)),
            StatusCode::UNIMPLEMENTED);
}

TEST_F(ControlAccessTest, TokensChangeWithTheFile) {
  constexpr char kCall[] = "/wsrouter.v1.Router/OnlineCount";
  const std::string next = "next-0123456789abcdef0123456789abc";
  authority_.Write("tokens", "a read " + kReader + "\na read " + next);
  EXPECT_TRUE(Eventually([&] { return Code(kCall, Bearer(next)) == StatusCode::OK; }));
  EXPECT_EQ(Code(kCall, Bearer(kReader)), StatusCode::OK);
  EXPECT_EQ(Code(kCall, Bearer(kAdmin)), StatusCode::UNAUTHENTICATED);
  authority_.Write("tokens", "a read " + next);
  EXPECT_TRUE(
      Eventually([&] { return Code(kCall, Bearer(kReader)) == StatusCode::UNAUTHENTICATED; }));
  EXPECT_EQ(Code(kCall, Bearer(next)), StatusCode::OK);
}

}  // namespace
}  // namespace wsrouter

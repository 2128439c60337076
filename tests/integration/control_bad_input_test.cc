// Every field of every call, missing and wrong in every way, found by reflection: each ends in a
// typed error that names the field, or was no fault.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tests/support/call_samples.h"
#include "tests/support/control_node.h"
#include "tests/support/raw_call.h"

namespace wsrouter {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

class ControlBadInputTest : public testing::Test {
 protected:
  // Runs `visit` for each method that is called with one request, and that has fields.
  void ForEachMethod(const std::function<void(const MethodDescriptor&)>& visit) {
    for (const char* name : {"wsrouter.v1.Router", "wsrouter.v1.Admin", "wsrouter.v1.Events"}) {
      const auto* service = DescriptorPool::generated_pool()->FindServiceByName(name);
      for (int m = 0; m < service->method_count(); ++m) {
        const MethodDescriptor& method = *service->method(m);
        if (!method.client_streaming() && method.input_type()->field_count() > 0) visit(method);
      }
    }
  }

  // With a connection of its own, so that no request finds it closed by another one.
  std::unique_ptr<Message> Good(const MethodDescriptor& method) {
    const std::string id = node_.Online("alice").ToString();
    std::string json = fmt::format("{{{}}}", Samples().at(method.name()).json);
    for (size_t at; (at = json.find("\"ID\"")) != std::string::npos;) {
      json.replace(at, 4, fmt::format("\"{}\"", id));
    }
    std::unique_ptr<Message> message(google::protobuf::MessageFactory::generated_factory()
                                         ->GetPrototype(method.input_type())
                                         ->New());
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, message.get()).ok()) << json;
    return message;
  }

  // Sends the request; "OK", or the reason, with the field behind it.
  std::string Send(const MethodDescriptor& method, const Message& request) {
    const RawAnswer answer =
        RawCall(*node_.channel, fmt::format("/{}/{}", method.service()->full_name(), method.name()),
                request.SerializePartialAsString());
    if (answer.status.ok()) return "OK";
    std::string reason;
    std::string field;
    ReadErrorInfo(answer.status, reason, field);
    EXPECT_NE(reason, "") << answer.status.error_message();
    EXPECT_NE(answer.status.error_code(), grpc::StatusCode::UNKNOWN);
    EXPECT_NE(answer.status.error_code(), grpc::StatusCode::INTERNAL);
    return fmt::format("{} {}", reason, field);
  }

  // For each string in each request, set or not, in turn: sets it to `text` and says what came
  // back. Of lists the first entry, of maps the value.
  void WithEachString(
      const std::string& text,
      const std::function<void(const std::string& path, const std::string& got)>& see) {
    ForEachMethod([&](const MethodDescriptor& method) {
      const std::unique_ptr<Message> good = Good(method);
      std::vector<std::vector<const FieldDescriptor*>> paths;
      FindStrings(*good, {}, paths);
      for (const auto& path : paths) {
        std::unique_ptr<Message> bad(good->New());
        bad->CopyFrom(*good);
        std::string name = method.name();
        Message* at = bad.get();
        for (const FieldDescriptor* field : path) {
          name += "." + field->name();
          if (field == path.back()) break;
          at = field->is_repeated() ? at->GetReflection()->MutableRepeatedMessage(at, field, 0)
                                    : at->GetReflection()->MutableMessage(at, field);
        }
        if (path.back()->is_repeated()) {
          at->GetReflection()->SetRepeatedString(at, path.back(), 0, text);
        } else {
          at->GetReflection()->SetString(at, path.back(), text);
        }
        see(name, Send(method, *bad));
      }
    });
  }

  static void FindStrings(const Message& message, std::vector<const FieldDescriptor*> path,
                          std::vector<std::vector<const FieldDescriptor*>>& paths) {
    std::vector<const FieldDescriptor*> set;
    message.GetReflection()->ListFields(message, &set);
    for (const FieldDescriptor* field : set) {
      path.push_back(field);
      if (field->type() == FieldDescriptor::TYPE_STRING) paths.push_back(path);
      if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
        const auto* reflection = message.GetReflection();
        FindStrings(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, 0)
                                         : reflection->GetMessage(message, field),
                    path, paths);
      }
      path.pop_back();
    }
  }

  // Streams that were opened and cancelled may still be there for a moment.
  ControlNode node_{{.connections_per_client = 10'000},
                    {.watchers_max = 10'000},
                    65536,
                    nullptr,
                    Namespaces({.history = {.size = 10}})};
};

bool IsFreeText(const std::string& path) {
  return path.ends_with(".text") || path.ends_with(".reason");
}

TEST_F(ControlBadInputTest, EverySampleIsValid) {
  ForEachMethod([&](const MethodDescriptor& method) {
    EXPECT_EQ(Send(method, *Good(method)), "OK") << method.name();
  });
}

TEST_F(ControlBadInputTest, EmptyRequestsNameTheFieldThatIsMissing) {
  ForEachMethod([&](const MethodDescriptor& method) {
    const std::unique_ptr<Message> empty(Good(method)->New());
    const bool required = !Samples().at(method.name()).required.empty();
    EXPECT_THAT(Send(method, *empty), testing::StartsWith(required ? "FIELD_MISSING " : "OK"))
        << method.name();
  });
}

TEST_F(ControlBadInputTest, EachRequiredFieldThatIsMissingIsNamed) {
  ForEachMethod([&](const MethodDescriptor& method) {
    for (const std::string& name : Samples().at(method.name()).required) {
      const std::unique_ptr<Message> bad = Good(method);
      const FieldDescriptor* field = method.input_type()->FindFieldByName(name);
      bad->GetReflection()->ClearField(bad.get(), field);
      const bool target = field->containing_oneof() != nullptr;
      EXPECT_EQ(Send(method, *bad),
                fmt::format("FIELD_MISSING {}", target ? "target" : field->name()))
          << method.name();
    }
  });
}

TEST_F(ControlBadInputTest, StringsThatAreNotUtf8AreRefusedAndNamed) {
  for (const char* text : {"\xFF", "a\xC3", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80"}) {
    WithEachString(text, [&](const std::string& path, const std::string& got) {
      EXPECT_THAT(got, testing::MatchesRegex("FIELD_INVALID [a-z_.0-9]+(\\[0\\])?(.value|.key)?"))
          << path;
    });
  }
}

TEST_F(ControlBadInputTest, ControlCharactersAreRefusedOutsideOfFreeText) {
  for (const std::string& text : {std::string("a\0b", 3), std::string("a\nb"), std::string("\x7F"),
                                  std::string("\xC2\x85")}) {
    WithEachString(text, [&](const std::string& path, const std::string& got) {
      if (IsFreeText(path)) {
        EXPECT_EQ(got, "OK") << path;
      } else {
        EXPECT_THAT(got, testing::MatchesRegex("(FIELD|CURSOR)_INVALID [^ ]+")) << path;
      }
    });
  }
}

TEST_F(ControlBadInputTest, LongNamesAreRefused) {
  WithEachString(std::string(2000, 'n'), [&](const std::string& path, const std::string& got) {
    if (path.ends_with(".text")) {
      EXPECT_EQ(got, "OK") << path;
    } else {
      EXPECT_THAT(got, testing::MatchesRegex("(FIELD_TOO_LONG|CURSOR_INVALID) [^ ]+")) << path;
    }
  });
}

TEST_F(ControlBadInputTest, PunctuationHasNoMeaning) {
  for (const char* text : {":", "a:b", "{", "{a}b", "*", "a*b", "?", "[a]", " ", "\"", "../.."}) {
    WithEachString(text, [&](const std::string& path, const std::string& got) {
      if (path.ends_with("cursor")) return;
      const bool somebody = path == "Own.connection_id" || path == "Join.connection_id" ||
                            path == "SendToConnection.connection_id";
      EXPECT_EQ(got, path == "Rooms.prefix"    ? "CURSOR_INVALID cursor"
                     : path == "Own.client_id" ? "CONNECTION_ALREADY_OWNED "
                     : somebody                ? "CONNECTION_GONE "
                                               : "OK")
          << path << " = " << text;
    });
  }
}

TEST_F(ControlBadInputTest, ListsAreBounded) {
  ForEachMethod([&](const MethodDescriptor& method) {
    for (int i = 0; i < method.input_type()->field_count(); ++i) {
      const FieldDescriptor* field = method.input_type()->field(i);
      if (!field->is_repeated() || field->is_map()) continue;
      const std::unique_ptr<Message> bad = Good(method);
      const auto* reflection = bad->GetReflection();
      while (reflection->FieldSize(*bad, field) <= 1000) {
        if (field->type() == FieldDescriptor::TYPE_STRING) {
          reflection->AddString(bad.get(), field, "n");
        } else {
          reflection->AddEnumValue(bad.get(), field, 1);
        }
      }
      EXPECT_EQ(Send(method, *bad), fmt::format("TOO_MANY_ITEMS {}", field->name()))
          << method.name();
    }
  });
}

TEST_F(ControlBadInputTest, NumbersThatMeanNothingAreRefused) {
  const auto send = [&](const std::string& name, const std::string& json) {
    const auto* service = DescriptorPool::generated_pool()->FindServiceByName(
        name == "Watch" ? "wsrouter.v1.Events" : "wsrouter.v1.Router");
    const MethodDescriptor& method = *service->FindMethodByName(name);
    const std::unique_ptr<Message> bad = Good(method);
    const std::unique_ptr<Message> change(bad->New());
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, change.get()).ok());
    bad->MergeFrom(*change);
    return Send(method, *bad);
  };
  EXPECT_EQ(send("Own", R"({"on_duplicate":99})"), "FIELD_INVALID on_duplicate");
  EXPECT_EQ(send("Push", R"({"options":{"wait":99}})"), "FIELD_INVALID options.wait");
  EXPECT_EQ(send("Push", R"({"options":{"slow_consumer":99}})"),
            "FIELD_INVALID options.slow_consumer");
  EXPECT_EQ(send("History", R"({"limit":1001})"), "FIELD_OUT_OF_RANGE limit");
  EXPECT_EQ(send("Watch", R"({"kinds":[99]})"), "FIELD_INVALID kinds[1]");
  EXPECT_EQ(send("Disconnect", R"({"code":1006})"), "FIELD_OUT_OF_RANGE code");
  EXPECT_EQ(send("Release", R"({"close":{"code":4294967295}})"), "FIELD_OUT_OF_RANGE close.code");
  for (const char* method : {"Members", "Rooms", "Connections"}) {
    EXPECT_EQ(send(method, R"({"count":1001})"), "FIELD_OUT_OF_RANGE count") << method;
  }
}

}  // namespace
}  // namespace wsrouter

#include "collector/ingest/server_call.h"

#include <nghttp2/nghttp2.h>

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace forewarn::ingest {
namespace {

using ::testing::ElementsAre;

// An HTTP/2 client in memory: what it gets back, and nothing more.
class Client {
 public:
  Client() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
           size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
           void* user) {
          static_cast<Client*>(user)->headers[frame->hd.stream_id][std::string(
              reinterpret_cast<const char*>(name), name_size)] =
              std::string(reinterpret_cast<const char*>(value), value_size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks,
        [](nghttp2_session*, int32_t stream, uint32_t error, void* user) {
          static_cast<Client*>(user)->closed[stream] = error;
          return 0;
        });
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Client() { nghttp2_session_del(session_); }

  int32_t Call(const std::string& path, const std::string& method = "POST",
               const std::string& type = "application/grpc") {
    const std::vector<std::pair<std::string, std::string>> fields = {
        {":method", method},
        {":scheme", "https"},
        {":path", path},
        {":authority", "c"},
        {"content-type", type}};
    std::vector<nghttp2_nv> request;
    for (const auto& [name, value] : fields) {
      request.push_back(
          {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
           reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
           name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider body{};
    body.source.ptr = this;
    body.read_callback = [](nghttp2_session*, int32_t, uint8_t* out,
                            size_t size, uint32_t* flags,
                            nghttp2_data_source* source, void*) -> ssize_t {
      auto* self = static_cast<Client*>(source->ptr);
      if (self->to_send.empty() && self->half_close) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        return 0;
      }
      if (self->to_send.empty()) return NGHTTP2_ERR_DEFERRED;
      const size_t count = std::min(size, self->to_send.size());
      self->to_send.copy(reinterpret_cast<char*>(out), count);
      self->to_send.erase(0, count);
      return static_cast<ssize_t>(count);
    };
    return nghttp2_submit_request(session_, nullptr, request.data(),
                                  request.size(), &body, nullptr);
  }

  // Both ends say what they have to say.
  void Exchange(ServerCall& call) {
    for (int i = 0; i < 20; ++i) {
      nghttp2_session_resume_data(session_, 1);
      const uint8_t* data = nullptr;
      for (;;) {
        const ssize_t count = nghttp2_session_mem_send(session_, &data);
        if (count <= 0) break;
        call.Receive(absl::string_view(reinterpret_cast<const char*>(data),
                                       static_cast<size_t>(count)));
      }
      std::string back;
      while (call.TakeOutput(back)) continue;
      nghttp2_session_mem_recv(
          session_, reinterpret_cast<const uint8_t*>(back.data()), back.size());
    }
  }

  std::map<int32_t, std::map<std::string, std::string>> headers;
  std::map<int32_t, uint32_t> closed;
  std::string to_send;
  bool half_close = false;

 private:
  nghttp2_session* session_ = nullptr;
};

class ServerCallTest : public ::testing::Test, public ServerCall::Handler {
 protected:
  void OnCall() override { ++calls_; }
  absl::Status OnMessage(absl::string_view message) override {
    messages_.emplace_back(message);
    return answer_;
  }
  void OnHalfClose() override { call_.Finish(absl::OkStatus()); }

  ServerCall call_{"/a.B/C", 100, *this};
  Client client_;
  absl::Status answer_;
  int calls_ = 0;
  std::vector<std::string> messages_;
};

TEST_F(ServerCallTest, TakesMessagesUntilTheAgentEnds) {
  client_.Call("/a.B/C");
  wire::AppendGrpcFrame("first", client_.to_send);
  wire::AppendGrpcFrame("second", client_.to_send);
  client_.Exchange(call_);
  EXPECT_EQ(calls_, 1);
  EXPECT_THAT(messages_, ElementsAre("first", "second"));
  EXPECT_EQ(client_.headers[1][":status"], "200");
  client_.half_close = true;
  client_.Exchange(call_);
  EXPECT_EQ(client_.headers[1]["grpc-status"], "0");
  EXPECT_TRUE(call_.over());
}

TEST_F(ServerCallTest, AMessageThatIsRefusedEndsTheCallWithItsStatus) {
  answer_ = absl::InvalidArgumentError("no: \n");
  client_.Call("/a.B/C");
  wire::AppendGrpcFrame("first", client_.to_send);
  wire::AppendGrpcFrame("second", client_.to_send);
  client_.Exchange(call_);
  EXPECT_THAT(messages_, ElementsAre("first"));
  EXPECT_EQ(client_.headers[1]["grpc-status"], "3");
  EXPECT_EQ(client_.headers[1]["grpc-message"], "no: %0A");
}

TEST_F(ServerCallTest, ATooLargeMessageEndsTheCall) {
  client_.Call("/a.B/C");
  wire::AppendGrpcFrame(std::string(101, 'x'), client_.to_send);
  client_.Exchange(call_);
  EXPECT_EQ(client_.headers[1]["grpc-status"], "8");
  EXPECT_TRUE(messages_.empty());
}

TEST_F(ServerCallTest, AnotherMethodIsUnimplemented) {
  client_.Call("/a.B/D");
  client_.Exchange(call_);
  EXPECT_EQ(client_.headers[1]["grpc-status"], "12");
  EXPECT_EQ(calls_, 0);
}

TEST_F(ServerCallTest, ABrowserIsToldThatThisIsNoWebServer) {
  client_.Call("/", "GET", "text/html");
  client_.Exchange(call_);
  EXPECT_EQ(client_.headers[1]["grpc-status"], "12");
}

TEST_F(ServerCallTest, ASecondCallIsRefusedAndTheFirstGoesOn) {
  client_.Call("/a.B/C");
  client_.Exchange(call_);
  // Beyond what the settings allow: the client's own library holds it back,
  // or the collector resets it; it is never answered.
  const int32_t second = client_.Call("/a.B/C");
  client_.Exchange(call_);
  EXPECT_EQ(client_.headers.count(second), 0u);
  wire::AppendGrpcFrame("goes on", client_.to_send);
  client_.Exchange(call_);
  EXPECT_THAT(messages_, ElementsAre("goes on"));
}

TEST_F(ServerCallTest, WhatIsNoHttp2EndsTheConnection) {
  EXPECT_FALSE(call_.Receive("GET / HTTP/1.1\r\nHost: c\r\n\r\n"));
  std::string output;
  while (call_.TakeOutput(output)) continue;
  EXPECT_TRUE(call_.over());
}

TEST_F(ServerCallTest, WhatWasQueuedGoesBeforeTheStatus) {
  client_.Call("/a.B/C");
  client_.Exchange(call_);
  call_.Send("last word");
  call_.Finish(absl::UnavailableError("going down"));
  call_.Send("too late");
  client_.Exchange(call_);
  EXPECT_EQ(client_.headers[1]["grpc-status"], "14");
  EXPECT_EQ(call_.unsent_bytes(), 0u);
}

}  // namespace
}  // namespace forewarn::ingest

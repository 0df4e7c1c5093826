// What the fake DLLs share. Every call is one frame to 127.0.0.1:$LCOW_FORWARDER_PORT and gets one frame back; events
// come as frames that nobody asked for. A frame is a Header and its texts, each u32 length (NO_TEXT: null) and UTF-8.
// Frames to the forwarder: the texts are the name of the function and its strings; the first one has call 0 and names
// the DLL. Frames from the forwarder: result document and value of a call; data of an event (call 0).
#include <winsock2.h>
#include <windows.h>
#include <objbase.h>
#include <stdlib.h>
#define EXPORT __declspec(dllexport) HRESULT WINAPI
#define NO_TEXT 0xffffffffu
// The number of the event that every receiver gets when the forwarder is gone.
#define LOST 0xffffffffu
#pragma pack(push, 1)
typedef struct {
  UINT32 length;  // of the rest
  UINT32 call;    // 0 for an event
  UINT32 hresult; // of the reply or event
  UINT32 number;  // type of an event; access, option or type of a call
  UINT64 handle;  // the call's; in a reply the one that was opened
  UINT64 context; // id of the receiver
  UINT32 texts;
} Header;
#pragma pack(pop)
typedef struct Frame { struct Frame *next; Header header; char body[]; } Frame;

// Something of the caller's that gets events, under an id that is never used again. It is never freed: a thread that
// has found it may use it, and looks whether it is dead.
typedef struct Receiver {
  struct Receiver *next;
  UINT64 id, system; // no system: an operation
  void *function, *context;
  int busy, dead;
} Receiver;

typedef struct { UINT64 handle, context; UINT32 number; PCWSTR texts[3]; UINT64 *opened; PWSTR *value, *result; } Call;
// Sends a call and waits for its reply. NULL: the forwarder is gone.
Frame *exchange(const char *function, Call call);
// The same, with the out-parameters filled; the result is the function's.
HRESULT forward(const char *function, Call call);
#define FORWARD(...) forward(__func__, (Call){ __VA_ARGS__ })
// Copies a text of a frame by library_alloc. A counted one is the caller's to free.
PWSTR text_of(Frame *frame, UINT32 index, int counted);
Receiver *receiver_add(SIZE_T size, UINT64 system, void *function, void *context);
// NULL for an id that is unknown or dead. The lock is held.
Receiver *receiver_find(UINT64 id);
// NULL when nobody gets the events of this system. The lock is held.
Receiver *receiver_of(UINT64 system);
// No event comes any more. `drain` waits until no invocation is under way. The lock is held.
void receiver_end(Receiver *receiver, int drain);
void begin(void);
extern CRITICAL_SECTION lock;

// What each DLL has of its own.
extern const char library_name[];
void *library_alloc(SIZE_T size);
// An event has arrived for a receiver: whether it is to be delivered. On the reading thread, the lock is held.
int library_arrived(Receiver *receiver, Frame *event);
// Calls the receiver's function. On the delivering thread, without the lock.
void library_deliver(Receiver *receiver, Header *event, PWSTR data);

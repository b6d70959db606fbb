import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A client of java.net.http. It prints each message of the server as a line, comes back after the end of a
 * connection, and resumes every channel with the newest cursor that it has seen. Once it is connected it publishes an event by the
 * same HttpClient, which asks for HTTP/2 by `Upgrade: h2c`, as it does when nobody sets a version.
 * Arguments: the address of the endpoint, a token, the address of the publisher, an event, an API key.
 */
public final class Client implements WebSocket.Listener {
  private static final Duration DEADLINE = Duration.ofSeconds(10);
  private static final long RETRY_MS = 100;
  /** Publications end with their channel and cursor. */
  private static final Pattern POSITION =
      Pattern.compile(".*\"channel\":\"([^\"]+)\",\"cursor\":\"([^\"]+)\"}");

  /** The newest cursor of each channel. */
  private static final Map<String, String> CURSORS = new HashMap<>();
  private static boolean published;

  private final StringBuilder text = new StringBuilder();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  public static void main(String[] arguments) throws Exception {
    HttpClient http = HttpClient.newBuilder().connectTimeout(DEADLINE).build();
    while (true) {
      Client client = new Client();
      try {
        http.newWebSocketBuilder()
            .header("Authorization", "Bearer " + arguments[1])
            .connectTimeout(DEADLINE)
            .buildAsync(URI.create(arguments[0]), client)
            .get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        if (!published) publish(http, arguments);
        client.ended.get();
        System.out.println("{\"type\":\"disconnect\"}");
      } catch (java.util.concurrent.ExecutionException away) {
        Thread.sleep(RETRY_MS);
      }
    }
  }

  private static void publish(HttpClient http, String[] arguments) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(arguments[2] + "/api/publish"))
            .timeout(DEADLINE)
            .header("Authorization", "Bearer " + arguments[4])
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(arguments[3]))
            .build();
    int status = http.send(request, BodyHandlers.ofString()).statusCode();
    published = true;
    System.out.println("{\"type\":\"published\",\"data\":{\"status\":" + status + "}}");
  }

  @Override
  public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
    text.append(part);
    if (last) {
      receive(socket, text.toString());
      text.setLength(0);
    }
    socket.request(1);
    return null;
  }

  private static void receive(WebSocket socket, String message) {
    System.out.println(message);
    if (message.startsWith("{\"type\":\"connection\"")) greet(socket);
    Matcher position = POSITION.matcher(message);
    if (position.matches()) {
      CURSORS.put(position.group(1), position.group(2));
    }
  }

  private static void greet(WebSocket socket) {
    CompletableFuture<WebSocket> sent = CompletableFuture.completedFuture(socket);
    if (!CURSORS.isEmpty()) {
      String cursors =
          CURSORS.entrySet().stream()
              .map(each -> "\"" + each.getKey() + "\":\"" + each.getValue() + "\"")
              .collect(Collectors.joining(","));
      sent = socket.sendText("{\"action\":\"resume\",\"cursors\":{" + cursors + "}}", true);
    }
    sent.thenCompose(each -> each.sendText("{\"action\":\"ping\"}", true));
  }

  @Override
  public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
    ended.complete(null);
    return null;
  }

  @Override
  public void onError(WebSocket socket, Throwable error) {
    ended.complete(null);
  }
}

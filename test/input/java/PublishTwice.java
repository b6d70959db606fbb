import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Publishes small and large events, each twice, to the URL in each argument with the JDK's HttpClient, which
 * asks for HTTP/2 by an upgrade. Prints one line of statuses for each URL.
 */
public class PublishTwice {
  private static final int[] SIZES = {200, 60_000, 200, 60_000};

  public static void main(String[] urls) throws Exception {
    for (String url : urls) {
      HttpClient client = HttpClient.newHttpClient();
      List<String> statuses = new ArrayList<>();
      for (int size : SIZES) statuses.add(publish(client, url, size));
      System.out.println(String.join(" ", statuses));
    }
  }

  private static String publish(HttpClient client, String url, int size) throws Exception {
    String data = "{\"padding\":\"" + "x".repeat(size) + "\"}";
    String event = "{\"type\":\"x\",\"channel\":\"all\",\"data\":" + data + "}";
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(event))
            .build();
    int status = client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
    return String.valueOf(status);
  }
}

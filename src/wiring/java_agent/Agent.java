package hawser;

import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.List;

/**
 * Started by the JVM before the program, as -javaagent:JAR=PORT, where PORT is hawser's front door on 127.0.0.1. From then on
 * the JVM resolves the cluster's names and connects to its names and addresses; everything else is as without. Whatever
 * goes wrong in here leaves the program alone: the rule of all classes of this package.
 *
 * Written for Java 8 and without lambdas, whose first use alone takes longer than all that happens here.
 */
public final class Agent {
    private Agent() {}

    public static void premain(String port, Instrumentation instrumentation) {
        try {
            boolean first = FrontDoor.open(Integer.parseInt(port));
            if (first) weave(instrumentation);
        } catch (Throwable failure) {
            Debug.say("the agent is off", failure);
        }
    }

    private static void weave(Instrumentation instrumentation) throws Exception {
        // All that the hooks need is loaded now: later they run in the middle of the JDK's own work, under its locks.
        new NameHook().apply("localhost", "");
        new ConnectHook().apply(FrontDoor.LOOPBACK, 0);
        instrumentation.addTransformer(new Weaver(), true);
        // What is not loaded yet is woven when it is.
        List<Class<?>> loaded = new ArrayList<Class<?>>();
        for (Class<?> each : instrumentation.getAllLoadedClasses()) {
            if (Weaver.isWoven(each.getName().replace('.', '/'))) loaded.add(each);
        }
        instrumentation.retransformClasses(loaded.toArray(new Class<?>[0]));
    }
}
